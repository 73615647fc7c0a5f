// SPDX-License-Identifier: Apache-2.0
// The steps of starting the hypervisor. Private to bundled/.
#pragma once

#include <string>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"
#include "hypervisor-iface/bundled/doorbell.hpp"
#include "hypervisor-iface/bundled/host_area.hpp"
#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/qemu_command.hpp"
#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"

namespace xl::hv::bundled {

Bytes default_memory();   // 3/4 of the host's, in 2 MiB
unsigned default_cpus();  // that this process may run on

// A hypervisor that is ready, and the line to it.
struct Connection {
  Machine machine;
  std::shared_ptr<Ram> ram;
  HostArea area;  // of `ram`
  Doorbell doorbell;
  Process process;
};

Result<Machine> machine_of(const Options& options);
// All with the directory's lock held. Nothing: none ran, or one that had no domains to lose was
// ended; the way is free for start_new().
Result<std::optional<Connection>> attach_to_running(const Options& options);
Result<Connection> start_new(const Options& options);
HostArea area_of(const Ram& ram);
HypervisorState state_of(const Connection& link);
// An error about a hypervisor that was left running, because it may have domains.
Error left_alone(pid_t pid, Error error);
// protocol, unless the area is one that this program knows.
Result<void> check_version(const HostArea& area);
// Until the hypervisor says that it is ready; else why it will not be.
Result<void> wait_ready(const HostArea& area, const Doorbell& doorbell, const Process& process,
                        const Options& options);
// One sentence: how the process ended, and its last words.
std::string why_it_ended(const HostArea& area, const Process& process,
                         const std::string& runtime_dir);

// The log's text from byte `from` on, or from the oldest byte that is still there; and the offset
// after it.
Hypervisor::LogText log_text(const HostArea& area, std::uint64_t from);
std::string last_log_line(const HostArea& area);

}  // namespace xl::hv::bundled
