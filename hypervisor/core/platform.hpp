// SPDX-License-Identifier: Apache-2.0
// Platform: all that the core needs of the machine, as a template parameter. x86_64/ has the real
// one, the unit tests a fake. The core itself has no assembly and touches no device. Freestanding.
//
// Rules for the implementer
//  - Core functions are called with physical interrupts off, never from an interrupt or NMI
//  handler: handlers only set
//    flags that the main loop looks at. Thus a spinlock of the core needs no interrupt masking.
//  - No Platform function calls back into the core, except where its line says so.
//  - `Vcpu` state (context, LAPIC) is only touched by the CPU that runs the vcpu, or by any CPU
//  while the vcpu is known not
//    to run; assert_vector and kick_cpu may be called from any CPU at any time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "hypervisor/abi/host_area.hpp"
#include "hypervisor/core/errno.hpp"
#include "hypervisor/core/xen_abi.hpp"

namespace hyp {

using xl::Bytes;
using xl::DomId;
using xl::EventPort;
using xl::Gfn;
using xl::GrantRef;
using xl::GuestPhys;
using xl::HostPhys;
using xl::Mfn;
using xl::Pages;
using xl::VcpuId;

template <typename P>
struct Domain;
template <typename P>
struct Vcpu;

inline constexpr unsigned max_cpus = 64;
inline constexpr unsigned max_vcpus = 128;     // per domain
inline constexpr std::uint64_t never = ~0ULL;  // a deadline that does not come

// system time = ((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32, as in
// vcpu_time_info.
struct ClockScale {
  std::uint32_t tsc_to_system_mul;
  std::int8_t tsc_shift;
};
struct ClockSample {
  std::uint64_t tsc;        // now, on this CPU
  std::uint64_t system_ns;  // the same moment
};

// What a leaf of the physmap stands for; kept in the entry's software bits.
enum class PageKind : std::uint8_t {
  none = 0,      // nothing is mapped
  ram = 1,       // the domain's own, counted
  shared = 2,    // belongs to the hypervisor: shared_info, grant table
  grant_rw = 3,  // another domain's, by a grant
  grant_ro = 4,
  on_demand = 5,  // RAM to the guest that has no frame yet: an entry that is not present
};

// The entry format of the nested page table: 4 levels of 512 entries; leaves at levels 0 (4 KiB), 1
// (2 MiB), 2 (1 GiB).
template <typename F>
concept PhysmapFormat = requires(std::uint64_t entry, Mfn mfn, PageKind kind, unsigned level) {
  {
    F::make_leaf(mfn, level, kind)
    } -> std::same_as<std::uint64_t>;  // writable unless grant_ro; executable
  { F::make_table(mfn) } -> std::same_as<std::uint64_t>;
  // Not present; is_leaf() and kind() hold of it as of a leaf.
  { F::make_on_demand(level) } -> std::same_as<std::uint64_t>;
  { F::is_present(entry) } -> std::same_as<bool>;
  { F::is_leaf(entry, level) } -> std::same_as<bool>;  // of a present entry
  { F::mfn(entry) } -> std::same_as<Mfn>;              // of a leaf (aligned to its size) or a table
  { F::kind(entry) } -> std::same_as<PageKind>;  // of a leaf; `none` of a zero entry
  { F::accessed(entry) } -> std::same_as<bool>;        // the guest has used this leaf
  { F::accessed_bits } -> std::convertible_to<std::uint64_t>;  // the bits that say so
};

template <typename P>
concept Platform = PhysmapFormat<typename P::PhysmapFormat> &&
    std::default_initializable<typename P::DomainArch> &&
    std::default_initializable<typename P::VcpuArch> &&
    requires(P p, const P cp, Domain<P>& d, Vcpu<P>& v, const Vcpu<P>& cv, unsigned cpu, Mfn mfn,
             void* to, const void* from, std::uint64_t linear, std::size_t bytes,
             std::uint8_t vector, xl::abi::VcpuContextRecord& record,
             const xl::abi::VcpuContextRecord& crecord, const vcpu_hvm_context& hvm) {
  // --- clock: the same on all CPUs, never goes back; 0 is the hypervisor's start
  { p.now_ns() } -> std::same_as<std::uint64_t>;
  { p.clock_sample() } -> std::same_as<ClockSample>;
  { p.clock_scale() } -> std::same_as<ClockScale>;
  { p.wall_clock_ns() } -> std::same_as<std::uint64_t>;  // Unix time at system time 0
  // --- CPUs
  { p.cpu_id() } -> std::same_as<unsigned>;  // 0 .. cpus-1
  {p.relax()};                               // a spinning CPU's pause
  // Makes the CPU leave the guest, or its HLT, and look at schedule() again. Never waits. Also of
  // the own CPU (then nothing needs to be done: it is not in a guest).
  {p.kick_cpu(cpu)};
  // Returns when no CPU uses a translation of the domain that is older than the call. Waits only
  // for CPUs in guest mode (they leave on the IPI without taking a lock), as the caller may hold
  // locks.
  {p.flush_physmap(d)};
  // --- memory
  { p.frame(mfn) } -> std::same_as<std::byte*>;   // 4 KiB of the identity map; contiguous beyond it
  { p.host_area() } -> std::same_as<std::byte*>;  // xl::abi::host_area_size bytes
  {p.ring_host()};                                // one byte on the doorbell
  // --- the guest as the vcpu sees it (its page tables; only of the vcpu that runs on this CPU)
  // All or nothing is not required; false: some byte could not be accessed (-EFAULT). What has no
  // frame yet gets one by Hypervisor::touch (takes memory_lock).
  { p.read_guest(v, to, linear, bytes) } -> std::same_as<bool>;
  { p.write_guest(v, linear, from, bytes) } -> std::same_as<bool>;
  // The LAPIC has an interrupt that would be delivered if RFLAGS.IF allowed it. Any CPU; a hint
  // when it races.
  { p.interrupt_pending(cv) } -> std::same_as<bool>;
  // Delivers an edge to the vcpu's LAPIC (IRR): atomic, from any CPU. Lost while the LAPIC is off;
  // when it is turned on the platform calls Hypervisor::repeat_upcall. The core kicks afterwards
  // itself.
  {p.assert_vector(v, vector)};
  // An NMI for the vcpu, one at a time: atomic, from any CPU. The core kicks afterwards itself.
  {p.raise_nmi(v)};
  // --- life cycle. May allocate with Hypervisor::alloc_page. On failure they have changed nothing.
  { p.init_domain(d) } -> std::same_as<Result<void>>;  // physmap exists
  {p.destroy_domain(d)};                               // after the last vcpu
  { p.init_vcpu(v) } -> std::same_as<Result<void>>;    // reset state, offline
  {p.destroy_vcpu(v)};
  // --- register state, while the vcpu does not run
  {p.get_context(cv, record)};
  { p.set_context(v, crecord) } -> std::same_as<Result<void>>;  // inval: no valid machine state
  {
    p.initialise_vcpu(v, hvm)
    } -> std::same_as<Result<void>>;  // VCPUOP_initialise of an HVM domain
};

}  // namespace hyp
