// SPDX-License-Identifier: Apache-2.0
// The way to the real Xen for those that do not link its libraries: the backend is a module, loaded
// where a Xen is. docs/adr/0151.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {

// This machine runs on Xen, and this is the domain that controls it. Looks at what the kernel shows
// only; whether this user may control Xen shows when it is opened.
bool runs_on_xen_dom0();

// The module's file: XL_XEN_MODULE, else beside the executable (a build tree), else where it is
// installed. xen_module_missing if there is none.
Result<std::string> find_xen_module();

// Loads the module, which stays, and opens Xen. xen_missing where no Xen is.
Result<std::unique_ptr<Hypervisor>> open_xen();
// The same with a module of the caller's choice.
Result<std::unique_ptr<Hypervisor>> open_xen(const std::string& module);

// For xl doctor: whether it can be opened, and what is missing if not.
std::vector<Check> probe_xen();

}  // namespace xl::hv
