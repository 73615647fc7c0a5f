// SPDX-License-Identifier: Apache-2.0
// The wire between the bundled hypervisor and the process that hosts it (domain 0): one area of
// shared memory at a fixed physical address, plus one byte on COM1 (IRQ 4) as the doorbell in
// either direction: ring_byte means "look at the area"; to hello_byte the hypervisor answers with
// a ring in any case. Freestanding.
//
// Each side treats what the other writes as hostile: copy once, check, use. All words are
// little-endian and naturally aligned; words that both sides touch are accessed with atomic loads
// and stores (acquire/release as said).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace xl::abi {

// Physical memory: [1 MiB, 2 MiB) is the host area, the hypervisor's image starts at 2 MiB.
inline constexpr std::uint64_t host_area_address = 0x100000;
inline constexpr std::uint64_t host_area_size = 0x100000;
inline constexpr std::uint64_t image_address = 0x200000;

inline constexpr std::uint64_t magic = 0x2b2b6c7870686f73ULL;
inline constexpr std::uint32_t version = 4;

inline constexpr char ring_byte = '!';
inline constexpr char hello_byte = '?';

enum class State : std::uint32_t {
  booting = 0,
  ready = 1,
  panicked = 2,  // the log says why
};

// Offset 0. Written by the hypervisor (before `state` becomes ready) unless marked HOST.
struct Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t state;  // State, release store
  std::uint64_t tsc_khz;
  std::uint64_t total_pages;  // frames that can be given to domains, plus what the hypervisor took
  std::uint64_t hypervisor_pages;
  std::uint32_t cpus;
  std::uint32_t host_sleeping;  // sleeping_for_* bits: what to ring COM1 for. The host sets a bit,
                                // then looks once more, then sleeps; the hypervisor clears it when
                                // it rings for it (fetch_and)
  std::uint32_t
      hypervisor_sleeping;      // 1 = ring COM1 after a request; 0 = a CPU is polling the ring
  std::uint32_t state_changed;  // domains changed: host should issue take_state_changes; HOST
                                // clears with exchange
  std::uint64_t log_written;    // bytes ever written into the log, release store
  std::uint64_t
      releasable_pages;  // scrubbed free frames that take_freed_frames would give; the hypervisor
                         // rings (as for an event) when this passes release_threshold
  std::uint64_t wall_clock_ns;  // HOST: Unix time at the hypervisor's system time 0 (it has no
                                // RTC); 0 = unknown
  std::uint64_t request_steps;  // + 1 for each step of a long request that is not finished: slow is
                                // not hanging
  std::uint64_t reserved[5];
};
inline constexpr std::uint32_t sleeping_for_events =
    1;  // domain 0's ports, state_changed, releasable_pages
inline constexpr std::uint32_t sleeping_for_responses = 2;  // a request was done
inline constexpr std::uint64_t release_threshold = 256;     // pages
static_assert(sizeof(Header) == 128 && std::is_standard_layout_v<Header>);
static_assert(offsetof(Header, log_written) == 56);

// --- request ring ---
// The host fills slots[producer % slot_count], then stores producer + 1 (release), then rings if
// hypervisor_sleeping. The hypervisor takes requests in order, writes the response into the same
// slot, then stores the slot's `done` = its request number + 1 (release), then rings if
// host_sleeping has sleeping_for_responses. A slot is the host's again once it has read the
// response.
inline constexpr std::uint32_t slot_count = 64;
inline constexpr std::uint32_t bulk_size =
    8192;  // each slot has a bulk buffer for arrays and copied bytes

enum class Op : std::uint32_t {
  ping = 0,
  host_info = 1,
  create_domain = 2,
  destroy_domain = 3,
  pause = 4,
  unpause = 5,
  domain_info = 6,
  list_domains = 7,
  shutdown_domain = 8,
  set_max_memory = 9,
  populate = 10,
  translate = 11,
  copy_to_guest = 12,
  copy_from_guest = 13,
  set_memory_map = 14,
  set_hvm_params = 15,
  get_hvm_param = 16,
  set_cpuid_policy = 17,
  get_vcpu_context = 18,
  set_vcpu_context = 19,
  vcpu_info = 20,
  event_alloc_unbound = 21,
  event_bind = 22,
  event_close = 23,
  event_notify = 24,
  take_state_changes = 25,
  grant_seed = 26,
  grant_map = 27,
  grant_unmap = 28,
  counters = 29,
  take_freed_frames = 30,
  return_freed_frames = 31,
  set_vcpu_affinity = 32,
  set_scheduling = 33,
  get_scheduling = 34,
  populate_on_demand = 35,
  set_memory_target = 36,
  list_extents = 37,
  list_bindings = 38,
  attach = 39,
  send_trigger = 40,
  soft_reset = 41,
  resume = 42,
  count = 43,
};

// 256 bytes. `args` and `results` are what each Op says below; unused words are zero.
struct Slot {
  std::uint32_t op;          // HOST
  std::uint32_t domain;      // HOST: domain id, 0 if the Op has none
  std::uint64_t args[11];    // HOST
  std::uint32_t bulk_bytes;  // HOST: bytes of the bulk buffer that are input; hypervisor: bytes
                             // that are output
  std::int32_t status;       // 0, or a negative Xen errno (public/errno.h)
  std::uint64_t done;        // request number + 1, release store
  std::uint64_t results[18];
};
static_assert(sizeof(Slot) == 256 && offsetof(Slot, args) == 8 && offsetof(Slot, done) == 104);
static_assert(std::has_unique_object_representations_v<Slot>);

// clang-format off
// Op              in                                              out
// ping
// host_info                                                       results: free pages, scrub-pending pages, overhead pages, uptime ns
// create_domain   args: max_vcpus, max_pages, 0, handle[2]         results[0]: domain id
// destroy_domain  (partial teardown continues by itself; the domain is gone from lists at once)
// domain_info                                                     bulk: DomainRecord
// list_domains    args: first id                                  bulk: DomainRecord[] ascending; results[0]: more follow
// shutdown_domain args: reason
// set_max_memory  args: pages
// populate        bulk: ExtentRecord[] (mfn ignored)              all or nothing
// translate       args: gfn, pages                                bulk: ExtentRecord[], from gfn on; results[0]: pages covered
// copy_*_guest    args: guest address, bytes (<= bulk_size); bulk
// set_memory_map  bulk: MemoryMapRecord[] (<= 128)
// set_hvm_params  bulk: HvmParamRecord[]
// get_hvm_param   args: index                                     results[0]
// set_cpuid_policy bulk: CpuidRecord[] (<= 64)
// *_vcpu_context  args: vcpu; bulk: VcpuContextRecord
// vcpu_info       args: vcpu                                      results: flags (1 online, 2 blocked, 4 running), cpu, cpu time ns, hard affinity, soft affinity
// event_alloc_unbound args: remote domain                         results[0]: port
// event_bind      args: remote port                               results[0]: local port (domain 0's)
// event_close     args: local port
// event_notify    args: local port
// take_state_changes                                              bulk: u32[] domain ids; results[0]: more follow
// grant_seed      bulk: GrantSeedRecord[]
// grant_map       args: ref, writable                             results: mfn, handle
// grant_unmap     args: handle
// counters        domain, or domain 0 for the hypervisor's own    bulk: CounterRecord[]
// take_freed_frames                                               bulk: ExtentRecord[] (gfn unused): scrubbed free frames whose host
//                 memory may be released. They are not allocated until return_freed_frames gives them back.
// return_freed_frames (all that were taken)
// set_vcpu_affinity args: vcpu, flags (1 hard, 2 soft), hard, soft (bit n: CPU n)
// set_scheduling  args: weight, cap
// get_scheduling                                                  results: weight, cap
// populate_on_demand args: target in pages; bulk: ExtentRecord[] (mfn ignored)
// set_memory_target args: pages, flags (1: withdraw what was promised beyond)
// list_extents    args: first gfn                                 bulk: ExtentRecord[] ascending; results[0]: more follow
// list_bindings   args: first local port                          bulk: BindingRecord[] ascending; results[0]: more follow
// attach          a new process is domain 0: the mappings of the one before end, all bound ports become pending, all domains
//                 that have shut down are reported as changed; what it took as freed frames stays taken: take_freed_frames says it again
// send_trigger    args: vcpu, XEN_DOMCTL_SENDTRIGGER_*
// soft_reset
// resume
// clang-format on

inline constexpr std::uint64_t target_flag_withdraw = 1;

struct ExtentRecord {
  std::uint64_t gfn;
  std::uint64_t mfn;
  std::uint64_t pages;
};

struct DomainRecord {
  std::uint32_t id;
  std::uint32_t flags;            // domain_flag_*
  std::uint32_t shutdown_reason;  // SHUTDOWN_*, valid with domain_flag_shutdown
  std::uint32_t vcpus_online;
  std::uint32_t max_vcpus;
  std::uint32_t reserved;
  std::uint64_t pages;
  std::uint64_t max_pages;
  std::uint64_t cpu_time_ns;
  std::uint64_t overhead_bytes;
  std::uint64_t handle[2];
  std::uint64_t on_demand_pages;
};
static_assert(sizeof(DomainRecord) == 80);
inline constexpr std::uint32_t domain_flag_running = 1;
inline constexpr std::uint32_t domain_flag_blocked = 2;
inline constexpr std::uint32_t domain_flag_paused = 4;
inline constexpr std::uint32_t domain_flag_dying = 8;
inline constexpr std::uint32_t domain_flag_shutdown = 16;
inline constexpr std::uint32_t domain_flag_user_mode = 32;  // it has run at CPL 3

struct MemoryMapRecord {
  std::uint64_t start;
  std::uint64_t size;
  std::uint32_t type;
  std::uint32_t reserved;
};

struct HvmParamRecord {
  std::uint32_t index;
  std::uint32_t reserved;
  std::uint64_t value;
};

struct CpuidRecord {
  std::uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};

struct SegmentRecord {
  std::uint16_t selector;
  std::uint16_t attributes;  // VMCB form
  std::uint32_t limit;
  std::uint64_t base;
};

struct VcpuContextRecord {
  std::uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rip, rflags, cr0, cr2, cr3, cr4, efer, dr6, dr7;
  SegmentRecord cs, ds, es, fs, gs, ss, tr, ldtr, gdtr, idtr;
};
static_assert(sizeof(VcpuContextRecord) == 25 * 8 + 10 * 16);

struct GrantSeedRecord {
  std::uint32_t ref;
  std::uint32_t peer;
  std::uint64_t gfn;
};

struct BindingRecord {
  std::uint32_t local;   // domain 0's port
  std::uint32_t remote;  // the domain's
  std::uint32_t domain;
  std::uint32_t reserved;
};

struct CounterRecord {
  char name[40];  // NUL-padded: "exit.hlt", "hypercall.event_channel_op"
  std::uint64_t count;
};

// --- layout of the area ---
inline constexpr std::uint64_t header_offset = 0;
inline constexpr std::uint64_t producer_offset = 0x400;  // u64, HOST
inline constexpr std::uint64_t consumer_offset = 0x440;  // u64, hypervisor, informative
inline constexpr std::uint64_t slots_offset = 0x1000;    // Slot[slot_count], 16 KiB
inline constexpr std::uint64_t selector_offset =
    0x8000;  // u64[32]: words of the bitmap that may be set
inline constexpr std::uint64_t pending_offset =
    0x9000;  // u64[2048]: domain 0's event ports, 16 KiB
inline constexpr std::uint64_t log_offset =
    0x20000;  // char[log_size], a ring: byte n at n % log_size
inline constexpr std::uint64_t log_size = 0x20000;
inline constexpr std::uint64_t bulk_offset = 0x40000;  // slot_count * bulk_size = 512 KiB
inline constexpr std::uint32_t domain0_ports = 2048 * 64;
// An event for domain 0: set the bit in pending, then in selector, then ring if host_sleeping has
// sleeping_for_events. The host clears a selector word with an exchange, then the pending words
// that it names.

static_assert(slots_offset + slot_count * sizeof(Slot) <= selector_offset);
static_assert(bulk_offset + slot_count * bulk_size <= host_area_size);
static_assert(log_offset + log_size <= bulk_offset &&
              pending_offset + domain0_ports / 8 <= log_offset);

}  // namespace xl::abi
