// SPDX-License-Identifier: Apache-2.0
// Vcpus, parameters and policy.
#include <algorithm>
#include <cerrno>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

extern "C" {
#include <xen/hvm/params.h>
}

namespace xl::hv::xen {
namespace {

constexpr std::size_t most_leaves = 64;
constexpr std::size_t largest_record = 16384;  // an XSAVE area is below

std::string vcpu_text(DomId domain, VcpuId vcpu) {
  return "vcpu " + std::to_string(vcpu.value()) + " of " + name_of(domain);
}

}  // namespace

Unexpected<Error> XenHypervisor::vcpu_failure(const Listening& listening, DomId domain, VcpuId vcpu,
                                              const std::string& doing) const {
  const int why = errno;
  if (why == ESRCH || why == ENOENT || why == EINVAL) {
    const auto raw = raw_info(domain);
    if (!raw) {
      return Unexpected(raw.error());
    }
    if (why != EINVAL) {
      return fail(ErrorCode::invalid_argument, "there is no " + vcpu_text(domain, vcpu));
    }
  }
  return listening.failure(why, doing);
}

Result<void> XenHypervisor::set_hvm_params(DomId domain, std::span<const HvmParam> params) {
  for (const HvmParam& param : params) {
    if (param.index >= HVM_NR_PARAMS) {
      return fail(ErrorCode::invalid_argument,
                  "there is no HVM parameter " + std::to_string(param.index));
    }
  }
  const Listening listening;
  for (const HvmParam& param : params) {
    if (xc_hvm_param_set(xc(), domain.value(), param.index, param.value) != 0) {
      return listening.failure("setting HVM parameter " + std::to_string(param.index) + " of " +
                               name_of(domain) + " to " + std::to_string(param.value));
    }
  }
  return {};
}

Result<std::uint64_t> XenHypervisor::get_hvm_param(DomId domain, std::uint32_t index) {
  const Listening listening;
  std::uint64_t value = 0;
  if (xc_hvm_param_get(xc(), domain.value(), index, &value) != 0) {
    return listening.failure("telling HVM parameter " + std::to_string(index) + " of " +
                             name_of(domain));
  }
  return value;
}

Result<void> XenHypervisor::set_cpuid_policy(DomId domain, std::span<const CpuidLeaf> leaves) {
  if (leaves.size() > most_leaves) {
    return fail(ErrorCode::invalid_argument, std::to_string(leaves.size()) +
                                                 " CPUID leaves, and there may be " +
                                                 std::to_string(most_leaves));
  }
  XL_TRY(raw_info(domain));
  return cpu_policy_.replace(*handles_, domain, leaves);
}

Result<SaveRecord> XenHypervisor::vcpu_record(DomId domain, VcpuId vcpu, std::uint16_t type) const {
  const Listening listening;
  SaveRecord record{type, static_cast<std::uint16_t>(vcpu.value()), {}};
  record.bytes.resize(largest_record);
  const int size = xc_domain_hvm_getcontext_partial(xc(), domain.value(), type, record.vcpu,
                                                    record.bytes.data(), largest_record);
  if (size < 0) {
    if (errno == ENODATA) {
      return fail(ErrorCode::invalid_argument, vcpu_text(domain, vcpu) + " is offline");
    }
    return vcpu_failure(listening, domain, vcpu, "reading the state of " + vcpu_text(domain, vcpu));
  }
  return record;
}

Result<VcpuContext> XenHypervisor::get_vcpu_context(DomId domain, VcpuId vcpu) {
  XL_TRY_ASSIGN(const SaveRecord record, vcpu_record(domain, vcpu, cpu_record));
  return context_of(record.bytes);
}

// Xen puts all vcpus offline that a stream does not speak of, so what is online goes in again.
Result<std::vector<SaveRecord>> XenHypervisor::other_vcpus(DomId domain, VcpuId but,
                                                           const xc_domaininfo_t& raw) const {
  std::vector<SaveRecord> records;
  for (std::uint32_t id = 0; id <= raw.max_vcpu_id; ++id) {
    const Listening listening;
    xc_vcpuinfo_t info{};
    if (VcpuId(id) == but || xc_vcpu_getinfo(xc(), domain.value(), id, &info) != 0 ||
        info.online == 0) {
      continue;
    }
    XL_TRY_ASSIGN(SaveRecord cpu, vcpu_record(domain, VcpuId(id), cpu_record));
    records.push_back(std::move(cpu));
    if (auto floating_point = vcpu_record(domain, VcpuId(id), xsave_record)) {
      records.push_back(std::move(*floating_point));
    }
  }
  return records;
}

Result<void> XenHypervisor::set_vcpu_context(DomId domain, VcpuId vcpu,
                                             const VcpuContext& context) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  if (raw.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID || vcpu.value() > raw.max_vcpu_id) {
    return fail(ErrorCode::invalid_argument, "there is no " + vcpu_text(domain, vcpu));
  }
  std::vector<SaveRecord> records;
  const bool is_fresh = raw.nr_online_vcpus == 0;
  if (is_fresh) {
    for (std::uint32_t id = 0; id <= raw.max_vcpu_id; ++id) {
      XL_TRY_ASSIGN(SaveRecord mtrr, boot_records_.mtrr(*handles_, domain, VcpuId(id)));
      records.push_back(std::move(mtrr));
    }
  } else {
    XL_TRY(pause(domain));
  }
  const ScopeExit run([&] {
    if (!is_fresh) {
      xc_domain_unpause(xc(), domain.value());
    }
  });
  if (!is_fresh) {
    XL_TRY_ASSIGN(records, other_vcpus(domain, vcpu, raw));
  }
  records.push_back(make_cpu_record(vcpu, context));
  XL_TRY_ASSIGN(std::vector<std::byte> stream, boot_records_.stream(*handles_, domain, records));
  const Listening listening;
  if (xc_domain_hvm_setcontext(xc(), domain.value(), reinterpret_cast<std::uint8_t*>(stream.data()),
                               static_cast<std::uint32_t>(stream.size())) != 0) {
    return listening.failure("setting the state of " + vcpu_text(domain, vcpu));
  }
  return {};
}

Result<VcpuInfo> XenHypervisor::vcpu_info(DomId domain, VcpuId vcpu) {
  const Listening listening;
  xc_vcpuinfo_t raw{};
  if (xc_vcpu_getinfo(xc(), domain.value(), vcpu.value(), &raw) != 0) {
    return vcpu_failure(listening, domain, vcpu, "telling about " + vcpu_text(domain, vcpu));
  }
  VcpuInfo info;
  info.id = vcpu;
  info.online = raw.online != 0;
  info.blocked = raw.blocked != 0;
  info.running = raw.running != 0;
  info.cpu = raw.cpu;
  info.cpu_time = Nanoseconds(raw.cpu_time);
  XL_TRY(read_affinity(domain, vcpu, info));
  return info;
}

Result<void> XenHypervisor::send_trigger(DomId domain, VcpuId vcpu, Trigger trigger) {
  const auto number = static_cast<std::uint32_t>(trigger);
  if (trigger == Trigger::power || trigger == Trigger::sleep) {
    XL_TRY(raw_info(domain));
    return fail(ErrorCode::not_supported, "PVH domains have no buttons");
  }
  const Listening listening;
  if (xc_domain_send_trigger(xc(), domain.value(), number, vcpu.value()) != 0) {
    return vcpu_failure(
        listening, domain, vcpu,
        "sending trigger " + std::to_string(number) + " to " + vcpu_text(domain, vcpu));
  }
  return {};
}

}  // namespace xl::hv::xen
