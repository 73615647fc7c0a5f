// SPDX-License-Identifier: Apache-2.0
// The waist's platform and vcpu operations, and the counters.
#include "hypervisor-iface/bundled/parts.hpp"
#include "hypervisor-iface/cpuid_leaves.hpp"

namespace xl::hv::bundled {
namespace {

// The wire has 64 CPUs.
std::uint64_t to_mask(const CpuSet& cpus) {
  return (cpus & CpuSet(~0ULL)).to_ullong();
}

}  // namespace

Result<void> BundledHypervisor::set_hvm_params(DomId domain, std::span<const HvmParam> params) {
  std::vector<abi::HvmParamRecord> wire;
  for (const HvmParam& param : params) {
    wire.push_back({param.index, 0, param.value});
  }
  return parts_->tell(abi::Op::set_hvm_params, domain, {}, bytes_of(wire));
}

Result<std::uint64_t> BundledHypervisor::get_hvm_param(DomId domain, std::uint32_t index) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::get_hvm_param, domain, {index}));
  return response.results[0];
}

Result<void> BundledHypervisor::set_cpuid_policy(DomId domain, std::span<const CpuidLeaf> leaves) {
  XL_TRY(check_cpuid_leaves(leaves));
  std::vector<abi::CpuidRecord> wire;
  for (const CpuidLeaf& leaf : leaves) {
    wire.push_back({leaf.leaf, leaf.subleaf, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx});
  }
  return parts_->tell(abi::Op::set_cpuid_policy, domain, {}, bytes_of(wire));
}

Result<VcpuContext> BundledHypervisor::get_vcpu_context(DomId domain, VcpuId vcpu) {
  XL_TRY_ASSIGN(const Response response,
                parts_->ask(abi::Op::get_vcpu_context, domain, {vcpu.value()}));
  const auto found = records<abi::VcpuContextRecord>(response.bulk);
  if (found.size() != 1) {
    return fail(ErrorId::hypervisor_bad_answer,
                "the hypervisor's answer to get_vcpu_context has no record");
  }
  return from_wire(found[0]);
}

Result<void> BundledHypervisor::set_vcpu_context(DomId domain, VcpuId vcpu,
                                                 const VcpuContext& context) {
  const std::vector<abi::VcpuContextRecord> wire = {to_wire(context)};
  return parts_->tell(abi::Op::set_vcpu_context, domain, {vcpu.value()}, bytes_of(wire));
}

Result<VcpuInfo> BundledHypervisor::vcpu_info(DomId domain, VcpuId vcpu) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::vcpu_info, domain, {vcpu.value()}));
  VcpuInfo info;
  info.id = vcpu;
  info.online = (response.results[0] & 1) != 0;
  info.blocked = (response.results[0] & 2) != 0;
  info.running = (response.results[0] & 4) != 0;
  info.cpu = static_cast<std::uint32_t>(response.results[1]);
  info.cpu_time = Nanoseconds(response.results[2]);
  info.hard_affinity = CpuSet(response.results[3]);
  info.soft_affinity = CpuSet(response.results[4]);
  return info;
}

Result<void> BundledHypervisor::set_vcpu_affinity(DomId domain, VcpuId vcpu,
                                                  std::optional<CpuSet> hard,
                                                  std::optional<CpuSet> soft) {
  return parts_->tell(abi::Op::set_vcpu_affinity, domain,
                      {vcpu.value(), (hard ? 1U : 0U) | (soft ? 2U : 0U),
                       to_mask(hard.value_or(CpuSet())), to_mask(soft.value_or(CpuSet()))});
}

Result<SchedulingParameters> BundledHypervisor::scheduling(DomId domain) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::get_scheduling, domain));
  return SchedulingParameters{static_cast<std::uint16_t>(response.results[0]),
                              static_cast<std::uint16_t>(response.results[1])};
}

Result<void> BundledHypervisor::set_scheduling(DomId domain,
                                               const SchedulingParameters& parameters) {
  return parts_->tell(abi::Op::set_scheduling, domain, {parameters.weight, parameters.cap});
}

Result<void> BundledHypervisor::send_trigger(DomId domain, VcpuId vcpu, Trigger trigger) {
  return parts_->tell(abi::Op::send_trigger, domain,
                      {vcpu.value(), static_cast<std::uint64_t>(trigger)});
}

Result<std::vector<NamedCounter>> BundledHypervisor::counters(std::optional<DomId> domain) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::counters, domain.value_or(DomId(0))));
  std::vector<NamedCounter> all;
  for (const abi::CounterRecord& record : records<abi::CounterRecord>(response.bulk)) {
    all.push_back(from_wire(record));
  }
  return all;
}

}  // namespace xl::hv::bundled
