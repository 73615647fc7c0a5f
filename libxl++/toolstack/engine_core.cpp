// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {

void Engine::keep_core(const DomainRef& domain, DomainEnd end, config::ShutdownAction next) {
  carry_out(domain, std::move(end), next);
}

}  // namespace xl::toolstack
