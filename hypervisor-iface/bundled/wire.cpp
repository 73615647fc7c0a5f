// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/wire.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace xl::hv::bundled {
namespace {

abi::SegmentRecord to_wire(const Segment& segment) {
  return {segment.selector, segment.attributes, segment.limit, segment.base};
}

Segment from_wire(const abi::SegmentRecord& record) {
  return {record.selector, record.attributes, record.limit, record.base};
}

// Xen's error numbers are Linux's for those that the hypervisor uses (public/errno.h).
ErrorCode code_of(std::int32_t status) {
  switch (-static_cast<std::int64_t>(status)) {
    case ESRCH:
    case ENOENT:
    case ENXIO: return ErrorCode::not_found;
    case EINVAL:
    case EFAULT:
    case ERANGE:
    case E2BIG: return ErrorCode::invalid_argument;
    case ENOMEM: return ErrorCode::no_memory;
    case ENOSPC:
    case EMFILE: return ErrorCode::limit;
    case EBUSY:
    case EAGAIN: return ErrorCode::busy;
    case EPERM:
    case EACCES: return ErrorCode::permission_denied;
    case ENOSYS:
    case EOPNOTSUPP: return ErrorCode::not_supported;
    case EEXIST: return ErrorCode::already_exists;
    default: return ErrorCode::io;
  }
}

constexpr std::array<std::string_view, static_cast<std::size_t>(abi::Op::count)> op_names = {
    "ping",
    "host_info",
    "create_domain",
    "destroy_domain",
    "pause",
    "unpause",
    "domain_info",
    "list_domains",
    "shutdown",
    "set_max_memory",
    "populate",
    "translate",
    "copy_to_guest",
    "copy_from_guest",
    "set_memory_map",
    "set_hvm_params",
    "get_hvm_param",
    "set_cpuid_policy",
    "get_vcpu_context",
    "set_vcpu_context",
    "vcpu_info",
    "event_alloc_unbound",
    "event_bind",
    "event_close",
    "event_notify",
    "take_state_changes",
    "grant_seed",
    "grant_map",
    "grant_unmap",
    "counters",
    "take_freed_frames",
    "return_freed_frames",
    "set_vcpu_affinity",
    "set_scheduling",
    "get_scheduling",
    "populate_on_demand",
    "set_memory_target",
    "list_extents",
    "list_bindings",
    "attach",
    "send_trigger",
    "soft_reset",
    "resume",
};

}  // namespace

abi::VcpuContextRecord to_wire(const VcpuContext& c) {
  abi::VcpuContextRecord r{};
  r.rax = c.rax, r.rbx = c.rbx, r.rcx = c.rcx, r.rdx = c.rdx;
  r.rsi = c.rsi, r.rdi = c.rdi, r.rbp = c.rbp, r.rsp = c.rsp;
  r.r8 = c.r8, r.r9 = c.r9, r.r10 = c.r10, r.r11 = c.r11;
  r.r12 = c.r12, r.r13 = c.r13, r.r14 = c.r14, r.r15 = c.r15;
  r.rip = c.rip, r.rflags = c.rflags;
  r.cr0 = c.cr0, r.cr2 = c.cr2, r.cr3 = c.cr3, r.cr4 = c.cr4;
  r.efer = c.efer, r.dr6 = c.dr6, r.dr7 = c.dr7;
  r.cs = to_wire(c.cs), r.ds = to_wire(c.ds), r.es = to_wire(c.es), r.fs = to_wire(c.fs);
  r.gs = to_wire(c.gs), r.ss = to_wire(c.ss), r.tr = to_wire(c.tr), r.ldtr = to_wire(c.ldtr);
  r.gdtr = to_wire(c.gdtr), r.idtr = to_wire(c.idtr);
  return r;
}

VcpuContext from_wire(const abi::VcpuContextRecord& r) {
  VcpuContext c;
  c.rax = r.rax, c.rbx = r.rbx, c.rcx = r.rcx, c.rdx = r.rdx;
  c.rsi = r.rsi, c.rdi = r.rdi, c.rbp = r.rbp, c.rsp = r.rsp;
  c.r8 = r.r8, c.r9 = r.r9, c.r10 = r.r10, c.r11 = r.r11;
  c.r12 = r.r12, c.r13 = r.r13, c.r14 = r.r14, c.r15 = r.r15;
  c.rip = r.rip, c.rflags = r.rflags;
  c.cr0 = r.cr0, c.cr2 = r.cr2, c.cr3 = r.cr3, c.cr4 = r.cr4;
  c.efer = r.efer, c.dr6 = r.dr6, c.dr7 = r.dr7;
  c.cs = from_wire(r.cs), c.ds = from_wire(r.ds), c.es = from_wire(r.es), c.fs = from_wire(r.fs);
  c.gs = from_wire(r.gs), c.ss = from_wire(r.ss), c.tr = from_wire(r.tr);
  c.ldtr = from_wire(r.ldtr), c.gdtr = from_wire(r.gdtr), c.idtr = from_wire(r.idtr);
  return c;
}

DomainInfo from_wire(const abi::DomainRecord& record) {
  DomainInfo info;
  info.id = DomId(static_cast<std::uint16_t>(record.id));
  std::memcpy(info.handle.data(), record.handle, sizeof(record.handle));
  static_assert(sizeof(record.handle) == sizeof(DomainHandle));
  info.running = (record.flags & abi::domain_flag_running) != 0;
  info.blocked = (record.flags & abi::domain_flag_blocked) != 0;
  info.paused = (record.flags & abi::domain_flag_paused) != 0;
  info.dying = (record.flags & abi::domain_flag_dying) != 0;
  info.user_mode = (record.flags & abi::domain_flag_user_mode) != 0;
  if ((record.flags & abi::domain_flag_shutdown) != 0) {
    // A reason that has no name is the guest's word (SCHEDOP_shutdown takes any): not a clean end.
    info.shutdown = record.shutdown_reason <= static_cast<std::uint32_t>(ShutdownReason::soft_reset)
                        ? static_cast<ShutdownReason>(record.shutdown_reason)
                        : ShutdownReason::crash;
  }
  info.memory = Pages(record.pages);
  info.max_memory = Pages(record.max_pages);
  info.cpu_time = Nanoseconds(record.cpu_time_ns);
  info.vcpus_online = record.vcpus_online;
  info.max_vcpus = record.max_vcpus;
  info.overhead_bytes = record.overhead_bytes;
  info.on_demand = Pages(record.on_demand_pages);
  return info;
}

NamedCounter from_wire(const abi::CounterRecord& record) {
  return {std::string(record.name, ::strnlen(record.name, sizeof(record.name))), record.count};
}

std::string_view name_of(abi::Op op) {
  const auto index = static_cast<std::size_t>(op);
  return index < op_names.size() ? op_names[index] : "unknown";
}

Error error_of(abi::Op op, DomId domain, std::int32_t status) {
  const std::int64_t number = -static_cast<std::int64_t>(status);
  if (number == ESRCH && domain != DomId(0)) {
    return make_error(ErrorId::no_such_domain, fmt::format("there is no domain {}", domain.value()),
                      "`xl list` shows those that there are");
  }
  const std::string why = number > 0 && number < 4096
                              ? std::generic_category().message(static_cast<int>(number))
                              : fmt::format("status {}", status);
  std::string message = domain == DomId(0)
                            ? fmt::format("{}: {}", name_of(op), why)
                            : fmt::format("{} of domain {}: {}", name_of(op), domain.value(), why);
  if (number == ENOMEM) {
    return make_error(ErrorId::not_enough_memory, std::move(message),
                      "`xl info free_memory` tells how much is free, `xl list` who has the rest");
  }
  return Error{code_of(status), std::move(message), {}, {}};
}

}  // namespace xl::hv::bundled
