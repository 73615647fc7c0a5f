// SPDX-License-Identifier: Apache-2.0
// The end of a domain by its own fault, or by its own word: a report in the log, then the
// shutdown. Any CPU that the vcpu does not run on, or the one that it runs on.
#pragma once

#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/hypercall_name.hpp"
#include "hypervisor/core/parts.hpp"

namespace hyp {

template <typename P>
void log_registers(Log<P>& log, const Vcpu<P>& vcpu, const xl::abi::VcpuContextRecord& r) {
  const DomId id = vcpu.domain->id;
  log.write(Level::error, id, " ", vcpu.id, " rip ", hex(r.rip), " rsp ", hex(r.rsp), " rflags ",
            hex(r.rflags), " cs ", hex(r.cs.selector), " cr0 ", hex(r.cr0), " cr2 ", hex(r.cr2),
            " cr3 ", hex(r.cr3), " cr4 ", hex(r.cr4), " efer ", hex(r.efer));
  log.write(Level::error, id, " ", vcpu.id, " rax ", hex(r.rax), " rbx ", hex(r.rbx), " rcx ",
            hex(r.rcx), " rdx ", hex(r.rdx), " rsi ", hex(r.rsi), " rdi ", hex(r.rdi), " rbp ",
            hex(r.rbp));
  log.write(Level::error, id, " ", vcpu.id, " r8 ", hex(r.r8), " r9 ", hex(r.r9), " r10 ",
            hex(r.r10), " r11 ", hex(r.r11), " r12 ", hex(r.r12), " r13 ", hex(r.r13), " r14 ",
            hex(r.r14), " r15 ", hex(r.r15));
}

// Only the first report of a domain counts.
template <typename P>
void crash_domain(Parts<P>& parts, Vcpu<P>& vcpu, const CrashReport& report) {
  if (vcpu.domain->crash_reported.exchange(true) || vcpu.domain->shut_down.load()) {
    return;
  }
  xl::abi::VcpuContextRecord registers{};
  parts.core.platform.get_context(vcpu, registers);
  Log<P>& log = parts.core.log;
  const DomId id = vcpu.domain->id;
  log.write(Level::error, id, " ", vcpu.id, " crashed: ", report.cause, ", exit ",
            hex(report.exit_code), " info ", hex(report.info1), " ", hex(report.info2));
  log_registers(log, vcpu, registers);
  if (vcpu.last_hypercall == never) {
    log.write(Level::error, id, " ", vcpu.id, " made no hypercall");
  } else {
    const char* const name = hypercall_name(static_cast<unsigned>(vcpu.last_hypercall));
    log.write(Level::error, id, " ", vcpu.id, " last hypercall ", vcpu.last_hypercall, " ",
              name == nullptr ? "(unknown)" : name);
  }
  parts.lifecycle.shutdown(*vcpu.domain, report.reboots ? SHUTDOWN_reboot : SHUTDOWN_crash);
}

}  // namespace hyp
