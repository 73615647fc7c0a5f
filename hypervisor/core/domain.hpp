// SPDX-License-Identifier: Apache-2.0
// Domain: one guest. Lives in hypervisor frames; found by id through Hypervisor. Domain 0 (the
// host) is not one of these.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hypervisor/core/event_table.hpp"
#include "hypervisor/core/fifo.hpp"
#include "hypervisor/core/grant_table.hpp"
#include "hypervisor/core/physmap.hpp"
#include "hypervisor/core/platform.hpp"
#include "hypervisor/core/shared_page.hpp"
#include "hypervisor/core/spinlock.hpp"
#include "hypervisor/core/vcpu.hpp"

namespace hyp {

inline constexpr unsigned max_cpuid_records = 64;
inline constexpr unsigned max_map_records = 128;

template <typename P>
struct Domain {
  // --- identity, constant
  DomId id{};
  std::uint64_t handle[2]{};
  unsigned vcpu_count = 0;                  // max_vcpus
  std::array<Vcpu<P>*, max_vcpus> vcpus{};  // all exist from creation on, offline

  // --- life, atomic
  std::atomic<std::uint32_t> pauses{1};  // runs only at 0
  std::atomic<bool> dying{false};
  std::atomic<bool> shut_down{false};
  std::atomic<std::uint32_t> shutdown_reason{0};
  std::atomic<bool> crash_reported{false};
  std::atomic<bool> user_mode{false};  // some vcpu has run at CPL 3

  Domain* next_dying = nullptr;      // under the reaper's lock
  std::uint64_t counted_frames = 0;  // what the reaper still counts as pending for it
  std::uint32_t closed_ports = 0;    // destroy: ports below are closed
  unsigned built_vcpus = 0;     // vcpus that exist; equal to vcpu_count but while it is being made
  bool platform_ready = false;  // P::init_domain has run

  // --- memory, under memory_lock
  SpinLock<P> memory_lock;
  Physmap<P> physmap;                   // P sets nCR3 from physmap.root()
  std::atomic<std::uint64_t> pages{0};  // populated; read anywhere
  // What it asked for in a way that leaves it no place to reach it, or lost its place: counted as
  // its own until its end, as in Xen, but without frames.
  std::atomic<std::uint64_t> unplaced_pages{0};
  std::uint64_t max_pages = 0;             // of both together
  std::uint64_t memory_target = 0;         // pages that it is to have
  std::uint64_t allowance = 0;             // pages up to which touched memory gets frames
  std::uint64_t on_demand_pages = 0;       // without a frame yet
  std::atomic<std::uint64_t> promised{0};  // what it may still demand: the smaller of both rests
  std::atomic<bool> shortage_told{false};
  std::uint64_t highest_gfn = 0;                 // ever mapped
  std::atomic<std::uint64_t> overhead_pages{0};  // hypervisor frames held for it
  GrantTable<P> grants;
  bool held_by_grants = false;  // dying, and others still use what it granted
  SharedPage shared;
  Mfn shared_mfn{};
  std::atomic<bool> narrow{false};  // shared_info has the 32-bit layout

  // --- event channels, under the event lock
  EventTable<P> events;
  Fifo<P> fifo;
  std::uint64_t events_sent = 0;      // to other domains; event lock
  std::uint64_t events_received = 0;  // from anybody; event lock
  std::atomic<unsigned> pollers{0};   // vcpus in SCHEDOP_poll

  // --- platform description, written before the domain runs
  std::array<std::uint64_t, HVM_NR_PARAMS> params{};
  std::atomic<std::uint8_t> callback_vector{0};  // HVM_PARAM_CALLBACK_IRQ of type vector; 0: none
  std::array<xl::abi::CpuidRecord, max_cpuid_records> cpuid{};
  unsigned cpuid_count = 0;
  xl::abi::MemoryMapRecord* memory_map = nullptr;  // one frame
  unsigned memory_map_count = 0;

  // --- scheduling, under the scheduler's lock
  std::uint32_t weight = 256;       // 1..65535
  std::uint32_t cap = 0;            // per cent of one CPU; 0: none
  std::int64_t budget_ns = 0;       // with a cap: what its vcpus may still run; less than 0: debt
  std::uint64_t budget_since = 0;   // earned until then
  std::atomic<bool> parked{false};  // no budget: runs only when the timer has fired
  unsigned active = 0;              // vcpus that run or wait for a CPU
  Timer<P> budget_timer;

  std::array<Timer<P>, 2> watchdogs;  // SCHEDOP_watchdog, under memory_lock
  std::array<bool, 2> watchdog_used{};
  std::atomic<bool> runstate_flag{false};  // VMASST_TYPE_runstate_update_flag

  typename P::DomainArch arch{};

  std::uint64_t counted_pages() const { return pages.load() + unplaced_pages.load(); }

  // The toolstack's row for this leaf, or null: then the platform's default policy holds.
  const xl::abi::CpuidRecord* find_cpuid(std::uint32_t leaf, std::uint32_t subleaf) const {
    for (unsigned i = 0; i < cpuid_count; ++i) {
      if (cpuid[i].leaf == leaf && (cpuid[i].subleaf == subleaf || cpuid[i].subleaf == ~0U)) {
        return &cpuid[i];
      }
    }
    return nullptr;
  }
};

}  // namespace hyp
