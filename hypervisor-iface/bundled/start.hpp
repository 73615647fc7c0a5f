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

namespace xl::hv::bundled {

Bytes default_memory();   // 3/4 of the host's, in 2 MiB
unsigned default_cpus();  // that this process may run on

Result<Machine> machine_of(const Options& options);
Result<Process> start_process(const Machine& machine, const Ram& ram, const UniqueFd& listener,
                              const std::string& runtime_dir);
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
