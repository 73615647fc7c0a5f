// SPDX-License-Identifier: Apache-2.0
// Triggers: what a person would do with a machine's buttons and an NMI switch.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

struct TriggerName {
  std::string_view name;
  hv::Trigger trigger;
  const char* refusal;  // null: PVH domains have it
};

constexpr const char* no_button =
    "a PVH domain has no ACPI button: nothing in it would hear of that";
constexpr std::array<TriggerName, 6> triggers{{
    {"nmi", hv::Trigger::nmi, nullptr},
    {"reset", hv::Trigger::reset, nullptr},
    {"init", hv::Trigger::init, nullptr},
    {"power", hv::Trigger::power, no_button},
    {"sleep", hv::Trigger::sleep, no_button},
    {"s3resume", hv::Trigger::sleep, "a PVH domain has no S3 sleep to come back from"},
}};

Result<hv::Trigger> trigger_of(std::string_view name) {
  for (const TriggerName& known : triggers) {
    if (known.name != name) {
      continue;
    }
    if (known.refusal != nullptr) {
      return fail(ErrorId::trigger_impossible, known.refusal,
                  "`xl shutdown` asks its kernel to power off, `xl trigger NAME reset` reboots it");
    }
    return known.trigger;
  }
  return fail(ErrorId::trigger_unknown, fmt::format("there is no trigger '{}'", name),
              "nmi, reset, init, power, sleep or s3resume");
}

}  // namespace

Result<void> Engine::send_trigger(DomId id, std::string_view name, VcpuId vcpu) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  const auto sent = [&]() -> Result<void> {
    XL_TRY_ASSIGN(const hv::Trigger trigger, trigger_of(name));
    hv::Hypervisor& hypervisor = domain->session->hypervisor();
    XL_TRY_ASSIGN(const hv::DomainInfo info, checked(domain->session, hypervisor.domain_info(id)));
    if (info.shutdown) {
      return fail(ErrorId::domain_shut_down, "it has shut down already", "`xl destroy` frees it");
    }
    if (vcpu.value() >= info.max_vcpus) {
      return fail(ErrorId::no_such_vcpu, fmt::format("it has no vcpu {}", vcpu.value()),
                  fmt::format("its vcpus are 0 to {}", info.max_vcpus - 1));
    }
    if (trigger == hv::Trigger::init && vcpu == VcpuId(0)) {
      return fail(ErrorId::trigger_impossible,
                  "after an INIT its boot vcpu, 0, would start firmware, and it has none",
                  "`xl trigger NAME reset` reboots it");
    }
    if (trigger == hv::Trigger::nmi) {
      XL_TRY_ASSIGN(const hv::VcpuInfo state,
                    checked(domain->session, hypervisor.vcpu_info(id, vcpu)));
      if (!state.online) {
        return fail(ErrorId::vcpu_offline, fmt::format("its vcpu {} is offline", vcpu.value()),
                    "`xl vcpu-list` shows which are online");
      }
    }
    return checked(domain->session, hypervisor.send_trigger(id, vcpu, trigger));
  }();
  if (!sent) {
    return Unexpected(
        Error(sent.error())
            .while_doing(fmt::format("sending {} to domain '{}'", name, domain->claim.name())));
  }
  emit(LifecycleEvent::Kind::trigger, id, domain->claim.name(), {},
       {{"trigger", std::string(name)}, {"vcpu", std::uint64_t{vcpu.value()}}});
  return {};
}

}  // namespace xl::toolstack
