// SPDX-License-Identifier: Apache-2.0
// Vcpu: one virtual CPU of a domain, with the platform's state inside. Lives in hypervisor frames
// that the domain pays.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/fifo_queue.hpp"
#include "hypervisor/core/heap.hpp"
#include "hypervisor/core/platform.hpp"
#include "hypervisor/core/run_queue.hpp"
#include "hypervisor/core/shared_page.hpp"
#include "hypervisor/core/spinlock.hpp"

namespace hyp {

inline constexpr unsigned hypercall_numbers = 64;

enum class TimerKind : std::uint8_t { singleshot, periodic, poll, lapic, watchdog, budget };

// A deadline of a vcpu, in the heap of one physical CPU.
template <typename P>
struct Timer : HeapNode {  // key: deadline, system time in ns
  Vcpu<P>* vcpu = nullptr;
  TimerKind kind = TimerKind::singleshot;
  std::atomic<std::uint16_t> cpu{0};  // whose heap; valid while armed
  std::atomic<bool> armed{false};
  SpinLock<P> lock;  // outside of the heap's
};

// A vcpu in the run queue. Key: virtual time.
template <typename P>
struct RunNode : QueueNode {
  Vcpu<P>* vcpu = nullptr;
};

// RUNSTATE_* by name.
enum class RunState : std::uint8_t { running = 0, runnable = 1, blocked = 2, offline = 3 };

template <typename P>
struct Vcpu {
  // --- identity, constant
  Domain<P>* domain = nullptr;
  VcpuId id{};

  // --- scheduling, under the scheduler's lock unless it says otherwise
  RunNode<P> run_node;                // with the affinities in effect
  CpuMask hard_affinity = every_cpu;  // as they were set
  CpuMask soft_affinity = every_cpu;
  std::uint64_t virtual_time = 0;        // weighted ns
  std::uint64_t slice_start = 0;         // system time at which it got the CPU
  std::atomic<bool> initialised{false};  // has registers to start with
  std::atomic<bool> online{false};       // VCPUOP_up / SIPI / set_vcpu_context
  std::atomic<bool> blocked{false};
  std::atomic<bool> running{false};  // some CPU has it as current
  std::atomic<bool> queued{false};
  std::atomic<unsigned> cpu{0};  // runs there, or ran there last
  RunState state = RunState::offline;
  std::uint64_t state_since = 0;
  std::array<std::uint64_t, 4> state_ns{};  // by RunState

  // --- events
  VcpuInfoView info;  // in shared_info or registered; none: vcpu >= 32 without a registered one
  Mfn info_mfn{};     // of the registered page, which must stay
  bool info_registered = false;
  std::atomic<std::uint8_t> upcall_vector{0};  // HVMOP_set_evtchn_upcall_vector; 0: none
  std::array<std::uint32_t, NR_VIRQS> virq_port{};
  FifoQueues fifo;                          // under the event lock
  std::atomic<std::uint32_t> poll_port{0};  // SCHEDOP_poll: 0 not polling, ~0 several ports

  // --- areas that the guest registered, linear addresses, 0: none; written while the vcpu runs
  std::atomic<std::uint64_t> runstate_area{0};
  std::atomic<std::uint64_t> time_area{0};
  bool areas_narrow = false;  // 32-bit layout
  bool areas_dirty = false;   // to be written before the next entry

  // --- timers
  Timer<P> singleshot;
  Timer<P> periodic;
  Timer<P> poll;
  Timer<P> lapic;  // armed by the platform
  std::atomic<std::uint64_t> period_ns{0};

  // --- counters, by the CPU that runs the vcpu
  std::array<std::uint64_t, P::exit_causes> exits{};
  std::array<std::uint64_t, hypercall_numbers> hypercalls{};
  std::uint64_t last_hypercall = never;  // number, for the crash report

  typename P::VcpuArch arch{};
};

}  // namespace hyp
