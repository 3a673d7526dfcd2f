// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Looks whether what a process takes grows. A process counts that was looked at for long enough after its start.
struct VitalsJudge {
    /// What is taken in the first seconds is no growth.
    private static let warmUp = 10.0
    private static let fewest = 12
    private static let mostDescriptors = 16
    private static let mostKibibytes = 10_240

    private let processes: [Int32: [Evidence.Vitals]]

    /// Takes the samples of each process, in order.
    init(_ processes: [Int32: [Evidence.Vitals]]) {
        self.processes = processes
    }

    /// Compares the middle values of the first and the last third of each process's time.
    func judge(_ verdict: inout Verdict) {
        for (process, all) in processes.sorted(by: { $0.key < $1.key }) {
            guard let start = all.first?.at else { continue }
            let samples = all.filter { $0.at >= start + Self.warmUp }
            guard samples.count >= Self.fewest else { continue }
            let third = samples.count / 3
            let (early, late) = (samples.prefix(third), samples.suffix(third))
            let memory = Self.middle(late.map(\.kibibytes)) - Self.middle(early.map(\.kibibytes))
            let descriptors = Self.middle(late.map(\.descriptors)) - Self.middle(early.map(\.descriptors))
            verdict.processesWeighed += 1
            verdict.memoryGrowth = max(verdict.memoryGrowth, memory)
            verdict.descriptorGrowth = max(verdict.descriptorGrowth, descriptors)
            // A third of what it took, where that is more: an allocator keeps what a burst needed.
            let mostMemory = max(Self.mostKibibytes, Self.middle(early.map(\.kibibytes)) / 3)
            if memory > mostMemory { verdict.failures.append("process \(process) grew by \(memory) KiB") }
            if descriptors > Self.mostDescriptors {
                verdict.failures.append("process \(process) has \(descriptors) descriptors more than in the beginning")
            }
        }
    }

    private static func middle(_ numbers: [Int]) -> Int {
        numbers.isEmpty ? 0 : numbers.sorted()[numbers.count / 2]
    }
}
