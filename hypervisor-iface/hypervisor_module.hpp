// SPDX-License-Identifier: Apache-2.0
// What a backend in a module of its own exports: one C symbol that tells what the module was built
// against and makes the Hypervisor.
#pragma once

#include <memory>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {

// The waist as the module and its user were built with; both must be the same. XL_WAIST_ID is made
// from hypervisor.hpp's content and xl++'s version by the build.
inline constexpr const char* waist_id = XL_WAIST_ID;

struct HypervisorModule {
  const char* waist;  // first, for ever: what is checked before anything else is touched
  Result<std::unique_ptr<Hypervisor>> (*open)();
};

using HypervisorModuleSymbol = const HypervisorModule*();
inline constexpr const char* module_symbol = "xl_hypervisor_module";

}  // namespace xl::hv
