// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

#include "MutexUnderSanitizer.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

// Swift's Mutex takes a free lock with atomics that the compiler puts into our own code, where the sanitizer sees them, and
// a contended one in the runtime library, which is built without the sanitizer. So each contended lock would look like a
// race. This takes the place of the library's function in the test program and does the same with atomics that are seen.
//
// The lock is a word: 0, or the owner's thread id; the kernel adds a bit for waiters only if asked to wait (FUTEX_LOCK_PI),
// which this never does, so that unlocking always succeeds in the inlined part too.
#if !__has_attribute(swiftcall)
#error "needs a compiler that knows Swift's calling convention"
#endif

__attribute__((swiftcall)) void lockContended(
    uint32_t owner, __attribute__((swift_context)) _Atomic(uint32_t) *word
) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void lockContended(
    uint32_t owner, __attribute__((swift_context)) _Atomic(uint32_t) *word
) {
    uint32_t unlocked = 0;
    while (!atomic_compare_exchange_weak_explicit(word, &unlocked, owner, memory_order_acquire, memory_order_relaxed)) {
        unlocked = 0;
        sched_yield();
    }
}
