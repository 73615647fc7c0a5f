// SPDX-License-Identifier: Apache-2.0
// The lifecycle engine: what xl(1)'s commands do, without their words. It owns the hypervisor
// (started at the first call that needs it), the domains' records, the xenstore server, the
// consoles and the thread that serves domain 0's events.
//
// Thread rule: every function may be called from any thread; creates run in parallel. Callbacks
// come from the event thread and must not block nor call back into the Toolstack. Errors: as the
// waist's; not_found names the domain as it was asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/coredump/output.hpp"
#include "libxl++/toolstack/event.hpp"
#include "libxl++/xenstore/statistics.hpp"

namespace xl::config {
struct DomainConfig;
}

namespace xl::toolstack {

// Makes the hypervisor; called once, from the first call that needs one, again after it died.
using HypervisorFactory = std::function<Result<std::unique_ptr<hv::Hypervisor>>()>;

// As Xen's packages have them.
struct HostServices {
  std::string xenstore_socket = "/run/xenstored/socket";
  std::string console_logs = "/var/log/xen/console";  // of xenconsoled --log=guest
  std::string userdata = "/var/lib/xen";              // what libxl knows of a domain
};

struct Options {
  HypervisorFactory hypervisor;
  // The same for one that an earlier daemon left; null if there is none. Asked once, at the start,
  // so that what runs is known before the first call. Empty: there never is one.
  HypervisorFactory attach = {};
  // The host has a xenstored and a xenconsoled of its own, which serve the domains, and other
  // toolstacks that make domains too. Where they are found; none: this process serves.
  std::optional<HostServices> host = {};
  std::string runtime_dir;  // records of domains
  std::string log_dir;      // console logs, guest-NAME.log; empty: none
  std::uint64_t console_log_limit =
      1 << 20;  // bytes per log file; the older half goes when it is reached
  std::uint64_t kernel_cache_limit = 512ULL << 20;  // bytes of decompressed kernels kept
  std::chrono::nanoseconds kernel_cache_idle =
      std::chrono::minutes(1);  // and for how long after the last create
  std::chrono::nanoseconds restart_interval =
      std::chrono::seconds(2);  // on_reboot: one start in that time at most
  std::chrono::nanoseconds loan_grace =
      std::chrono::seconds(2);  // from a guest's first user code on: its init gets going
  std::string dump_dir;         // core files of on_crash="coredump-..."; empty: none are written
};

struct CreateOptions {
  bool paused = false;            // -p
  bool ignore_death = false;      // -e: the domain stays as it is after it has shut down
  bool hold = false;              // paused, and not to outlive the daemon before it is unpaused
  std::string working_directory;  // relative paths of the config start here
};

struct PhaseTime {
  std::string phase;  // "image", "create", "populate", "load", ...
  std::chrono::nanoseconds time{};
  std::string note = {};  // more of it, in a word; may be empty
};

struct CreatedDomain {
  DomId id;
  std::string name;
  std::vector<PhaseTime> phases;  // in the order of their time
  std::vector<std::string> warnings;
};

struct DomainSummary {
  hv::DomainInfo info;  // domain 0 is in the list, with the host's figures
  std::string name;
  std::chrono::system_clock::time_point created;
  bool booted = false;  // its kernel takes control/shutdown
};

// A domain's memory and what its balloon driver is asked for.
struct MemoryState {
  Bytes target;             // memory/target
  Bytes static_max;         // memory/static-max: maxmem, or what set_max_memory said since
  Bytes current;            // what it has, with what it may still demand
  Bytes hypervisor_max;     // the hypervisor's cap
  bool has_driver = false;  // something in the guest watches memory/target
};

// What stock `xl list -l` tells of a domain, or of domain 0.
struct LibxlListing {
  std::string stored;  // a libxl_domain_config as JSON, as the domain was made
  std::string name;
  std::optional<Bytes> max_memory, memory;  // as its guest is told
  std::vector<std::uint32_t> vcpus;         // the same: available
  std::optional<hv::SchedulingParameters> share;
};

// Ends the subscription when it goes; afterwards no callback runs any more.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

struct ShutdownRequest {
  bool reboot = false;                        // else: power off
  std::chrono::milliseconds timeout{60'000};  // for the guest to take it; what libxl gives
  bool fall_back_to_trigger = false;          // -F: when it did not, press a button
};

struct VcpuRequest {
  std::uint32_t vcpus = 0;   // wanted online, the lowest numbers
  bool ignore_host = false;  // may be more than the host has CPUs
  std::chrono::milliseconds timeout{30'000};
};

struct VcpuState {
  std::uint32_t online = 0;
  std::uint32_t max = 0;
};

// The affinities have the host's CPUs only.
struct VcpuSummary {
  DomId domain;
  std::string name;
  hv::VcpuInfo info;
};

struct DomainShare {
  DomId domain;
  std::string name;
  hv::SchedulingParameters parameters;
};

struct DumpOptions {
  bool live = false;  // the domain runs on meanwhile; else it is paused
  coredump::Compression compression = coredump::Compression::none;
};

class Toolstack {
 public:
  static Result<std::unique_ptr<Toolstack>> create(Options options);
  virtual ~Toolstack() = default;

  // --- lifecycle ---
  // Undone wholly when it fails or `cancel` is requested (error interrupted).
  virtual Result<CreatedDomain> create_domain(const config::DomainConfig& config,
                                              const CreateOptions& options,
                                              std::stop_token cancel) = 0;
  // All checks of create that need no hypervisor; the text is the memory layout that create would
  // use.
  virtual Result<std::string> check_domain(const config::DomainConfig& config,
                                           const CreateOptions& options) = 0;
  virtual Result<void> pause(DomId domain) = 0;
  virtual Result<void> unpause(DomId domain) = 0;
  virtual Result<void> destroy(DomId domain) = 0;
  virtual Result<void> rename(DomId domain, std::string_view new_name) = 0;
  // Asks the guest's kernel, and returns when it has taken the request; what it does then takes its
  // time. Errors: timeout, and then the request is withdrawn; busy if it is paused or has shut
  // down; interrupted.
  virtual Result<void> request_shutdown(DomId domain, const ShutdownRequest& request,
                                        std::stop_token cancel) = 0;
  // Writes the domain's core file to the descriptor, from its beginning on. `progress` is called
  // often, from this call. Errors: of the file system; interrupted; not_found or busy if it goes.
  using DumpProgress = std::function<void(Pages done, Pages total)>;
  virtual Result<void> dump_core(DomId domain, int fd, const DumpOptions& options,
                                 const DumpProgress& progress, std::stop_token cancel) = 0;
  // The same for a letter of Linux's Magic SysRq.
  virtual Result<void> send_sysrq(DomId domain, char letter, std::chrono::milliseconds timeout,
                                  std::stop_token cancel) = 0;

  // Asks the guest's kernel, and returns when so many vcpus are online. Errors: timeout, saying how
  // many are; invalid_argument for 0, more than max_vcpus, or more than the host has; busy;
  // interrupted, also by a later request.
  virtual Result<VcpuState> set_vcpus(DomId domain, const VcpuRequest& request,
                                      std::stop_token cancel) = 0;
  // nmi, reset or init. not_supported for power, sleep and s3resume, busy if the vcpu is offline.
  virtual Result<void> send_trigger(DomId domain, std::string_view trigger, VcpuId vcpu) = 0;

  // --- scheduling; not_supported for domain 0 ---
  // Of one domain, or of all; those that are offline too.
  virtual Result<std::vector<VcpuSummary>> vcpus(std::optional<DomId> domain) = 0;
  // Of one vcpu or of all; what is not given stays. A restart keeps it. invalid_argument for a set
  // without any of the host's CPUs.
  virtual Result<void> pin_vcpus(DomId domain, std::optional<VcpuId> vcpu,
                                 std::optional<hv::CpuSet> hard,
                                 std::optional<hv::CpuSet> soft) = 0;
  virtual Result<std::vector<DomainShare>> shares(std::optional<DomId> domain) = 0;
  // What is not given stays. A restart keeps it.
  virtual Result<void> set_share(DomId domain, std::optional<std::uint32_t> weight,
                                 std::optional<std::uint32_t> cap) = 0;

  // --- memory ---
  virtual Result<MemoryState> memory_state(DomId domain) = 0;
  // Asks the balloon driver; the guest follows when and as far as it can. invalid_argument beyond
  // static_max, no_memory if the host has not that much.
  virtual Result<MemoryState> set_memory(DomId domain, Bytes target) = 0;
  // The hypervisor's cap, and static_max. invalid_argument below the target.
  virtual Result<void> set_max_memory(DomId domain, Bytes most) = 0;

  // --- questions ---
  virtual Result<DomId> find(std::string_view name_or_id) = 0;
  virtual Result<std::vector<DomainSummary>> list() = 0;
  virtual Result<DomainSummary> summary(DomId domain) = 0;  // its row of the list
  virtual Result<config::DomainConfig> config_of(DomId domain) = 0;
  virtual Result<LibxlListing> libxl_listing(DomId domain) = 0;
  virtual Result<std::vector<hv::NamedCounter>> counters(std::optional<DomId> domain) = 0;
  virtual Result<hv::HostInfo> host_info() = 0;
  virtual Result<hv::Hypervisor::LogText> read_hypervisor_log(std::uint64_t from) = 0;
  virtual bool hypervisor_running() const = 0;

  // Serves the xenstore to tools at these sockets, until the toolstack goes.
  virtual Result<void> serve_store(std::vector<UniqueFd> listeners) = 0;
  // None where another process serves it.
  virtual std::optional<xenstore::Statistics> store_statistics() = 0;
  // There is no domain, and none is being made: nothing would be lost with the hypervisor.
  virtual bool idle() = 0;

  // --- consoles ---
  using ConsoleOutput =
      std::function<void(std::span<const std::byte>)>;  // empty: the console ended with its domain
  // First what was printed before (from the event thread too), then what comes. Any number at once.
  virtual Result<std::unique_ptr<Subscription>> attach_console(DomId domain,
                                                               ConsoleOutput output) = 0;
  virtual Result<void> write_console(DomId domain, std::span<const std::byte> input) = 0;
  virtual Result<std::string> console_log(DomId domain) = 0;
  // What attach_console would give first: of this domain alone, where the log file may hold what
  // others of the same name printed.
  virtual Result<std::string> console_history(DomId domain) = 0;

  // --- events ---
  using EventSink = std::function<void(const LifecycleEvent&)>;
  // What happens from now on; with `after`, first those events that are still known and have a
  // higher number.
  virtual std::unique_ptr<Subscription> subscribe(EventSink sink,
                                                  std::optional<std::uint64_t> after) = 0;
  std::unique_ptr<Subscription> subscribe(EventSink sink) {
    return subscribe(std::move(sink), std::nullopt);
  }
  // The same, as far as they are still known: the last 1024.
  virtual std::vector<LifecycleEvent> events_after(std::uint64_t sequence) const = 0;
  // Since this daemon started.
  virtual std::map<LifecycleEvent::Kind, std::uint64_t> event_counts() const = 0;
};

}  // namespace xl::toolstack
