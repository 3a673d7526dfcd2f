/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The tastytokend authors */

/* libFuzzer as a library, as its documentation declares it; the toolchain has no header for it. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one_input)(const uint8_t *data, size_t size));
