// SPDX-License-Identifier: Apache-2.0
// What xld needs of this machine, whatever hypervisor it drives: limits, directories, space. Looks,
// and makes nothing that stays. For `xld --doctor`.
#pragma once

#include <vector>

#include "base/check.hpp"
#include "xld/options.hpp"

namespace xl::daemon {

std::vector<Check> host_checks(const Options& options);

}  // namespace xl::daemon
