// SPDX-License-Identifier: Apache-2.0
// What travels between xl and xld, as plain values. openapi.yaml describes the same things for
// everybody else; the tests hold the two together. Times are nanoseconds (durations) or
// milliseconds since 1970 (instants); memory is KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace xl::api {

struct DomainView {
  std::uint16_t domid = 0;
  std::string name;
  std::string uuid;
  bool running = false;
  bool blocked = false;
  bool paused = false;
  bool dying = false;
  std::optional<std::string> shutdown_reason;  // set: the domain has shut down; see shutdown_names
  std::uint64_t memory_kib = 0;
  std::uint64_t max_memory_kib = 0;
  std::uint64_t cpu_time_ns = 0;
  std::uint32_t vcpus_online = 0;
  std::uint32_t max_vcpus = 0;
  std::uint64_t overhead_bytes = 0;  // what the hypervisor spends on it, beside its RAM
  std::int64_t created_ms = 0;
  bool booted = false;  // its kernel takes control/shutdown
};

// A domain's memory: what its balloon driver is asked for, what it has with what it may still
// demand, and what it can never have more of.
struct MemoryView {
  std::uint64_t target_kib = 0;
  std::uint64_t static_max_kib = 0;
  std::uint64_t current_kib = 0;
  std::uint64_t hypervisor_max_kib = 0;
  bool has_driver = false;  // something in the guest watches its target
};

struct MemoryRequest {
  std::optional<std::uint64_t> target_kib;
  std::optional<std::uint64_t> max_kib;  // the hypervisor's cap; set before the target
};

// The names of public/sched.h's SHUTDOWN_*, at the index of their value.
inline constexpr const char* shutdown_names[] = {"poweroff", "reboot",   "suspend",
                                                 "crash",    "watchdog", "soft_reset"};

struct HostView {
  std::string hypervisor, hypervisor_version, capabilities, virt_caps, command_line, scheduler;
  std::string hypervisor_machine;                  // what the hypervisor runs on, for a person
  std::string node, os_release, os_version, arch;  // uname(2) of the host
  std::string hw_caps;                             // Xen's eight words of CPUID, hexadecimal
  // Of the hypervisor, or of xld where there is none but its own; empty: not told.
  std::string compiler, compile_by, compile_domain, compile_date, build_id;
  std::string toolstack_version;
  std::uint32_t cpus = 0;
  std::uint64_t cpu_khz = 0;
  std::uint64_t total_memory_kib = 0;
  std::uint64_t free_memory_kib = 0;
  std::uint64_t scrub_pending_kib = 0;
  std::uint64_t overhead_kib = 0;
};

struct DaemonView {
  int pid = 0;
  std::string socket;
  std::string version;
  std::string runtime_dir;
  std::string log_file;
  bool hypervisor_running = false;
  std::string hypervisor;  // its name and machine while it runs, else empty
  std::uint32_t domains = 0;
  std::int64_t started_ms = 0;
  std::vector<std::string> xenstore_sockets;
};

// A sender need not read more of a config file than one byte beyond this: xld says that it is too
// large.
inline constexpr std::size_t max_config_bytes = 1024 * 1024;

// How long xld waits for a guest to take a request, unless it is told otherwise. What libxl gives.
inline constexpr std::uint64_t default_guest_timeout_ms = 60'000;
inline constexpr std::uint64_t default_vcpus_timeout_ms = 30'000;  // for vcpus to come and go

struct VcpusRequest {
  std::uint32_t vcpus = 0;   // wanted online
  bool ignore_host = false;  // more than the host has CPUs are meant
  std::uint64_t timeout_ms = default_vcpus_timeout_ms;
};

struct VcpusView {
  std::uint32_t online = 0;
  std::uint32_t max = 0;
};

// Affinities as xl writes sets of CPUs, "0-3,5"; "all" if none of the host's is missing.
struct VcpuView {
  std::uint16_t domid = 0;
  std::string name;
  std::uint32_t vcpu = 0;
  bool online = false;
  bool blocked = false;
  bool running = false;
  std::uint32_t cpu = 0;  // where it runs or ran last
  std::uint64_t cpu_time_ns = 0;
  std::string hard_affinity;
  std::string soft_affinity;
};

// Sets of CPUs as in xl vcpu-pin; none, and "-": leave it as it is.
struct PinRequest {
  std::optional<std::uint32_t> vcpu;  // none: all of them
  std::optional<std::string> hard;
  std::optional<std::string> soft;
  bool ignore_host_masks = false;  // of xl.conf
};

struct ShareView {
  std::uint16_t domid = 0;
  std::string name;
  std::uint32_t weight = 0;
  std::uint32_t cap = 0;  // per cent of one CPU; 0: none
};

struct CreateRequest {
  std::string config_name;             // as the user wrote it, for messages
  std::string config_text;             // any bytes
  std::vector<std::string> overrides;  // key=value
  std::string working_directory;       // relative paths of the config start here
  bool paused = false;
  bool ignore_death = false;
  // Made paused, and destroyed if this connection closes before the domain was unpaused.
  bool hold = false;
  bool strict = false;             // an unknown key is an error
  bool ignore_host_masks = false;  // the CPU masks of xl.conf
};

// One file of a config, whatever its format.
struct ConfigFile {
  std::string name;  // as the user wrote it, for messages
  std::string text;  // any bytes
};

struct ConvertRequest {
  ConfigFile config;
  std::string to;                   // cfg, yaml, json or xml
  std::optional<std::string> from;  // none: as the name or the text tells
};

struct ConvertedView {
  std::string text;
  std::string rendered_warnings;
};

struct ValidateRequest {
  std::vector<ConfigFile> configs;
  bool strict = false;  // unknown keys are errors
  bool sarif = false;   // the findings as SARIF as well
};

struct ValidatedView {
  bool valid = false;       // none of the findings is an error
  std::string rendered;     // all findings, for a terminal
  std::string diagnostics;  // JSON array of the same
  std::string sarif;        // JSON object of SARIF 2.1.0, or empty
};

struct PhaseView {
  std::string phase;
  std::uint64_t ns = 0;
  std::string note = {};  // "cached", "read"; may be empty
};

struct CreatedView {
  std::uint16_t domid = 0;
  std::string name;
  std::vector<PhaseView> phases;
  std::vector<std::string> warnings;
  std::string rendered_warnings;  // the config's warnings with line and caret
};

struct CheckedView {
  std::string name;
  std::string layout;
  std::string rendered_warnings;
  std::string libxl;  // the config as JSON text, a libxl_domain_config
};

struct ParsedDevice {
  std::string libxl_json;         // as libxl prints it, without a newline at the end
  std::string rendered_warnings;  // with line and caret
};

struct EndView {
  std::optional<std::string> reason;  // none: destroyed by the toolstack
  std::string last_console_line;
  std::string report;
  std::string action;
  std::optional<std::uint16_t> successor;
  std::string cause;  // "triple fault", of a reboot; else empty
};

struct EventDetailView {
  std::string key;
  std::variant<bool, std::uint64_t, std::string> value;
};

struct EventView {
  std::uint64_t sequence = 0;  // rises, also from one xld to the next
  std::int64_t time_ms = 0;
  std::string event;  // one of openapi.yaml's Event
  std::uint16_t domid = 0;
  std::string name;
  std::optional<EndView> end;            // of "shutdown" and "ended"
  std::vector<EventDetailView> details;  // as an object; absent if empty
};

// Where in a text an error lies; line and column count from 1, 0 if it has none.
struct PlaceView {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// An error as it travels. `rendered` is the complete text for a terminal when the error is about a
// config file (line and caret of each finding), else empty.
struct WireError {
  WireError() = default;
  explicit WireError(Error cause, std::string text = {})
      : error(std::move(cause)), rendered(std::move(text)) {}

  Error error;
  std::string rendered;
  std::string diagnostics;            // JSON array of the same findings, or empty
  std::optional<PlaceView> location;  // of the first of them
};

// What a request gives: the error may hold a rendered text beside its parts.
template <typename T>
using Answer = Result<T, WireError>;

}  // namespace xl::api
