// SPDX-License-Identifier: Apache-2.0
// The narrow waist: the operations that everything above needs of a hypervisor. Operations, not
// policies; close to Xen's domctl, memory_op and hvm_op (xen/include/public/), so that a backend on
// libxenctrl is a thin adapter.
//
// Thread rule: every function may be called from any thread at any time, unless it says otherwise.
// Errors: hypervisor_gone within 2 s if the hypervisor died or hangs (on every call); not_found for
// a domain that does not exist; no_memory when frames or tables run out. An operation that fails
// has changed nothing unless it says so.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace xl::hv {

using DomainHandle = std::array<std::uint8_t, 16>;  // the UUID, as in xen_domctl_createdomain

struct HostInfo {
  std::string hypervisor;    // "bundled", "xen", "fake"
  std::string version;       // "4.17.0": major.minor.extra, as XENVER_version reports it to guests
  std::string capabilities;  // xen_caps, "hvm-3.0-x86_32 hvm-3.0-x86_64 ..."
  std::string virt_caps;     // "hvm hap ..."
  std::string hw_caps;       // eight words of CPUID in hexadecimal; empty: it knows no better
  std::string command_line;
  // How it was compiled, as far as it tells.
  std::string compiler, compile_by, compile_domain, compile_date, build_id;
  std::string scheduler;  // "credit2", ...; the hypervisor's name if it has one of its own
  std::string machine;  // for a person: "qemu 7.2.22 tcg, 2 cpus"
  unsigned cpus = 0;    // physical CPUs that run vcpus
  std::uint64_t cpu_khz = 0;
  Pages total_memory;
  Pages free_memory;
  Pages scrub_pending;                          // free, not yet scrubbed; part of free_memory
  std::uint64_t hypervisor_overhead_pages = 0;  // taken by the hypervisor itself
  std::uint64_t resident_bytes = 0;  // of the process that it is on this host; 0: it is none
};

// One HVM mode with flags.
struct DomainOptions {
  DomainHandle handle{};
  std::uint32_t max_vcpus = 1;  // 1..128
  Pages max_memory;             // cap for populate, in guest RAM pages, special pages included
};

enum class ShutdownReason : std::uint8_t {  // SHUTDOWN_* of public/sched.h
  poweroff = 0,
  reboot = 1,
  suspend = 2,
  crash = 3,
  watchdog = 4,
  soft_reset = 5,
};

struct DomainInfo {
  DomId id;
  DomainHandle handle{};
  bool running = false;  // some vcpu is runnable or running
  bool blocked = false;  // all online vcpus wait
  bool paused = false;   // by the toolstack
  bool dying = false;    // being torn down
  std::optional<ShutdownReason> shutdown;
  Pages memory;  // populated
  Pages max_memory;
  Nanoseconds cpu_time;  // of all vcpus
  std::uint32_t vcpus_online = 0;
  std::uint32_t max_vcpus = 0;
  // What the hypervisor itself spends on the domain, beside its RAM.
  std::uint64_t overhead_bytes = 0;
  Pages on_demand;         // may still get by demand: what is promised, within the target
  bool user_mode = false;  // it has run user code: its kernel has come up
};

// Physical CPUs, by number.
using CpuSet = std::bitset<1024>;

struct VcpuInfo {
  VcpuId id;
  bool online = false;
  bool blocked = false;
  bool running = false;
  std::uint32_t cpu = 0;  // physical CPU it runs on or ran on last
  Nanoseconds cpu_time;
  CpuSet hard_affinity;  // where it may run; bits beyond the host's CPUs are zero
  CpuSet soft_affinity;  // where it had better run
};

// A domain's share of the physical CPUs, in the terms of Xen's credit2 (xen_domctl_sched_credit2).
struct SchedulingParameters {
  std::uint16_t weight = 256;  // 1..65535: CPU time is divided in this proportion
  std::uint16_t cap = 0;       // per cent of one physical CPU, for all its vcpus; 0: none
  bool operator==(const SchedulingParameters&) const = default;
};

enum class Trigger : std::uint8_t {  // XEN_DOMCTL_SENDTRIGGER_*
  nmi = 0,
  reset = 1,
  init = 2,
  power = 3,
  sleep = 4,
};

// What a domain may still demand beyond a lower target.
enum class Excess : std::uint8_t {
  keep,      // until it gives as much back: it may have to touch what it gives
  withdraw,  // at once: it does not know of it, or has nobody to give it back
};

// `count` frames from `first` on. The hypervisor chooses machine frames, as large and aligned as it
// can.
struct Extent {
  Gfn first;
  Pages count;
};

// One stretch of guest memory that is contiguous here too.
struct MappedSegment {
  Gfn first;
  std::span<std::byte> bytes;
};

// A quicker way for long writes than storing through a mapping, where a backend has one: the memory
// is not mapped page by page only to be filled, and does not count as this process's.
class BulkWriter {
 public:
  virtual ~BulkWriter() = default;
  // `to` lies in one segment of a mapping made with this writer. False: nothing promised, store it
  // yourself.
  virtual bool write(std::span<std::byte> to, std::span<const std::byte> from) const = 0;
  // The same for reading: what was never written stays without memory behind it.
  virtual bool read(std::span<const std::byte> from, std::span<std::byte> to) const {
    static_cast<void>(from);
    static_cast<void>(to);
    return false;
  }
};

// Guest frames mapped into this process; unmapped when it goes. Readable at any time. Writable only
//  - while the domain has not run yet (fresh frames), or
//  - for pages that the guest never executes: rings and status words.
// Everything else goes through copy_to_guest (the rule of the emulated CPU).
class GuestMapping {
 public:
  GuestMapping() = default;
  GuestMapping(std::vector<MappedSegment> segments, std::shared_ptr<void> keep_alive,
               std::shared_ptr<const BulkWriter> writer = nullptr)
      : segments_(std::move(segments)),
        keep_alive_(std::move(keep_alive)),
        writer_(std::move(writer)) {}

  // In ascending gfn order, without overlap or gap.
  std::span<const MappedSegment> segments() const { return segments_; }

  // The one frame `gfn`; empty if it lies outside.
  std::span<std::byte> frame(Gfn gfn) const;
  // invalid_argument if any byte of [at, at + size) lies outside the mapping.
  Result<void> write(GuestPhys at, std::span<const std::byte> bytes) const;
  Result<void> read(GuestPhys at, std::span<std::byte> bytes) const;

 private:
  std::vector<MappedSegment> segments_;
  std::shared_ptr<void> keep_alive_;
  std::shared_ptr<const BulkWriter> writer_;
};

struct HvmParam {
  std::uint32_t index = 0;  // HVM_PARAM_*, public/hvm/params.h
  std::uint64_t value = 0;
};

// A row of the memory map that XENMEM_memory_map gives the guest. Types are E820's.
struct MemoryMapEntry {
  GuestPhys start;
  Bytes size;
  std::uint32_t type = 0;  // 1 RAM, 2 reserved, 3 ACPI data, 4 NVS, 5 unusable
};

// A CPUID leaf that replaces the hypervisor's default policy for the domain.
struct CpuidLeaf {
  std::uint32_t leaf = 0;
  std::uint32_t subleaf = 0xffffffff;  // all-ones: any
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// A vcpu's architectural state: segment registers as VMCB and vcpu_hvm_context hold them.
struct Segment {
  std::uint16_t selector = 0;
  std::uint16_t attributes = 0;  // VMCB form: type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11
  std::uint32_t limit = 0;       // in bytes, expanded
  std::uint64_t base = 0;
};

struct VcpuContext {
  std::uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rbp = 0, rsp = 0;
  std::uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  std::uint64_t rip = 0, rflags = 0;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0, dr6 = 0, dr7 = 0;
  Segment cs, ds, es, fs, gs, ss, tr, ldtr, gdtr, idtr;
};

// A notification from a domain's event channel to the host side.
struct EventBinding {
  EventPort local;   // the host-side port
  EventPort remote;  // the guest's port
};

// A port of domain 0 that is bound to a domain's.
struct HostBinding {
  EventPort local;
  DomId domain;
  EventPort remote;
};

struct GrantSeed {
  GrantRef ref;
  Gfn frame;
  DomId peer;  // who may map it
};

struct NamedCounter {
  std::string name;  // "exit.hlt", "hypercall.evtchn_op", ...
  std::uint64_t count = 0;
};

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;

  // --- host ---
  virtual Result<HostInfo> host_info() = 0;
  // The hypervisor's log from byte offset `from` on (older bytes may be gone: then from the
  // oldest), and the offset after it.
  struct LogText {
    std::string text;
    std::uint64_t next = 0;
  };
  virtual Result<LogText> read_log(std::uint64_t from) = 0;
  virtual Result<void> ping() = 0;  // one request round trip, nothing else
  // Ends the hypervisor with all its domains; every call fails from then on. A backend that goes
  // without it leaves both running, for the next one to find. not_supported where it is the host's.
  virtual Result<void> power_off() = 0;

  // --- domains ---
  virtual Result<DomId> create_domain(const DomainOptions& options) = 0;  // paused once, no memory
  // Frees everything that it holds, event bindings and grants included. Mappings stay readable but
  // show other memory.
  virtual Result<void> destroy_domain(DomId domain) = 0;
  virtual Result<void> pause(DomId domain) = 0;  // returns when no vcpu runs; counts, as in Xen
  virtual Result<void> unpause(DomId domain) = 0;
  virtual Result<DomainInfo> domain_info(DomId domain) = 0;
  virtual Result<std::vector<DomainInfo>> list_domains() = 0;  // ascending, domain 0 not among them
  // Marks the domain as shut down with this reason (SCHEDOP_remote_shutdown).
  virtual Result<void> shutdown_domain(DomId domain, ShutdownReason reason) = 0;
  // Lets a domain that has shut down run on, as after a suspend that was called off
  // (XEN_DOMCTL_resumedomain). invalid_argument if it has not shut down.
  virtual Result<void> resume_domain(DomId domain) = 0;
  // Takes event channels, grants, shared info and vcpu registrations back to what they were after
  // create, keeps memory and vcpu state (XEN_DOMCTL_soft_reset). Domain 0's ends of the ports go as
  // well. The domain must be shut down or paused, and stays so: resume_domain lets it run on.
  virtual Result<void> soft_reset(DomId domain) = 0;

  // --- memory ---
  virtual Result<void> set_max_memory(DomId domain, Pages max) = 0;
  // All or nothing. New frames are zero.
  virtual Result<void> populate_physmap(DomId domain, std::span<const Extent> extents) = 0;
  // The extents are RAM to the guest and get zeroed frames when it first touches them, as long as
  // the domain has fewer than `target` pages (Xen's populate-on-demand); beyond that the domain
  // crashes. What counts are pages, not extents: fewer may be promised than the target.
  virtual Result<void> populate_on_demand(DomId domain, std::span<const Extent> extents,
                                          Pages target) = 0;
  // How many pages the domain may have, by demand or by ballooning, from now on
  // (XENMEM_set_pod_target). Takes no frames away.
  virtual Result<void> set_memory_target(DomId domain, Pages target, Excess excess) = 0;
  // All RAM frames that the domain has, ascending, adjoining ones joined.
  virtual Result<std::vector<Extent>> populated_extents(DomId domain) = 0;
  // Memory on demand gets its frames; no_memory where it may not have any.
  virtual Result<GuestMapping> map_frames(DomId domain, Extent extent) = 0;
  virtual Result<void> copy_to_guest(DomId domain, GuestPhys to,
                                     std::span<const std::byte> from) = 0;
  virtual Result<void> copy_from_guest(DomId domain, GuestPhys from, std::span<std::byte> to) = 0;
  virtual Result<void> set_memory_map(DomId domain, std::span<const MemoryMapEntry> map) = 0;

  // --- platform ---
  virtual Result<void> set_hvm_params(DomId domain, std::span<const HvmParam> params) = 0;
  virtual Result<std::uint64_t> get_hvm_param(DomId domain, std::uint32_t index) = 0;
  virtual Result<void> set_cpuid_policy(DomId domain, std::span<const CpuidLeaf> leaves) = 0;

  // --- vcpus ---
  virtual Result<VcpuContext> get_vcpu_context(DomId domain, VcpuId vcpu) = 0;
  virtual Result<void> set_vcpu_context(DomId domain, VcpuId vcpu,
                                        const VcpuContext& context) = 0;  // brings it online
  virtual Result<VcpuInfo> vcpu_info(DomId domain, VcpuId vcpu) = 0;
  // What is not given stays. invalid_argument for a set without any of the host's CPUs.
  virtual Result<void> set_vcpu_affinity(DomId domain, VcpuId vcpu, std::optional<CpuSet> hard,
                                         std::optional<CpuSet> soft) = 0;
  virtual Result<SchedulingParameters> scheduling(DomId domain) = 0;
  virtual Result<void> set_scheduling(DomId domain, const SchedulingParameters& parameters) = 0;
  // not_supported for triggers that need a device which PVH domains have not.
  virtual Result<void> send_trigger(DomId domain, VcpuId vcpu, Trigger trigger) = 0;

  // --- event channels: domain 0 is this process ---
  // A new port in `domain` that `remote` may bind (the toolstack's way for console and xenstore).
  virtual Result<EventPort> event_alloc_unbound(DomId domain, DomId remote) = 0;
  virtual Result<EventBinding> event_bind(DomId domain, EventPort remote_port) = 0;  // to domain 0
  virtual Result<void> event_close(EventPort local) = 0;
  // All ports of domain 0 that are bound to a domain: what a daemon before this one left.
  virtual Result<std::vector<HostBinding>> event_bindings() = 0;
  virtual Result<void> event_notify(EventPort local) = 0;
  // Readable when something may be pending for domain 0; then call take_events. Valid as long as
  // this object.
  virtual int event_fd() const = 0;
  struct Pending {
    std::vector<EventPort> ports;  // local ports that fired since the last call
    // Shut down or gone (VIRQ_DOM_EXC); where a backend can tell, also: a vcpu of it came or went,
    // it ran user code for the first time.
    std::vector<DomId> changed_domains;
    bool hypervisor_gone = false;
  };
  // One thread at a time.
  virtual Result<Pending> take_events() = 0;

  // --- grants ---
  virtual Result<void> grant_seed(DomId domain, std::span<const GrantSeed> seeds) = 0;
  // Maps what `domain` granted to domain 0; ends when the mapping goes.
  virtual Result<GuestMapping> grant_map(DomId domain, GrantRef ref, bool writable) = 0;

  // --- counters: exits by cause, hypercalls, events; per domain, or of the whole hypervisor
  // without one ---
  virtual Result<std::vector<NamedCounter>> counters(std::optional<DomId> domain) = 0;
};

}  // namespace xl::hv
