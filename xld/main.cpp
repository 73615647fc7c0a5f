// SPDX-License-Identifier: Apache-2.0
// xld with the bundled hypervisor.
#include <spdlog/spdlog.h>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"
#include "xld/daemon.hpp"

namespace {

namespace bundled = xl::hv::bundled;

bundled::Options backend_options(const xl::daemon::Options& options) {
  bundled::Options chosen;
  chosen.runtime_dir = options.runtime_dir;
  chosen.qemu = options.qemu;
  chosen.hypervisor_image = options.hypervisor_image;
  if (options.memory_mib != 0) {
    chosen.memory = xl::mib(options.memory_mib);
  }
  chosen.cpus = options.cpus;
  return chosen;
}

// The hypervisor outlives whoever started it; a daemon that stops in good order ends it.
void end_hypervisor(const std::string& runtime_dir) {
  xl::Result<xl::UniqueFd> lock = bundled::lock_runtime_dir(runtime_dir);
  const xl::Result<void> ended = lock ? bundled::end_stale(runtime_dir)
                                      : xl::Result<void>(xl::Unexpected(std::move(lock).error()));
  if (!ended) {
    spdlog::error("the hypervisor was left running: {}", describe(ended.error()));
  }
}

xl::daemon::Backend choose(const xl::daemon::Options& options) {
  return {[chosen = backend_options(options)]() -> xl::Result<std::unique_ptr<xl::hv::Hypervisor>> {
            XL_TRY_ASSIGN(std::unique_ptr<bundled::BundledHypervisor> hypervisor,
                          bundled::BundledHypervisor::start(chosen));
            spdlog::info("the hypervisor runs as pid {}", hypervisor->pid());
            return std::unique_ptr<xl::hv::Hypervisor>(std::move(hypervisor));
          },
          [directory = options.runtime_dir] { end_hypervisor(directory); }};
}

}  // namespace

int main(int count, char** words) {
  return xl::daemon::run(count, words, choose);
}
