// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/hypervisor_module.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

extern "C" __attribute__((visibility("default"))) const xl::hv::HypervisorModule*
xl_hypervisor_module() {
  static constexpr xl::hv::HypervisorModule module{xl::hv::waist_id,
                                                   xl::hv::xen::XenHypervisor::open};
  return &module;
}
