// SPDX-License-Identifier: Apache-2.0
// xld with the real Xen where it runs on one, else with the bundled hypervisor.
#include <spdlog/spdlog.h>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"
#include "hypervisor-iface/bundled/probe.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"
#include "hypervisor-iface/xen_loader.hpp"
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
  chosen.note = [](const std::string& text) { spdlog::info("{}", text); };
  return chosen;
}

xl::Result<std::unique_ptr<xl::hv::Hypervisor>> start(const bundled::Options& options) {
  XL_TRY_ASSIGN(std::unique_ptr<bundled::BundledHypervisor> hypervisor,
                bundled::BundledHypervisor::start(options));
  spdlog::info("the hypervisor runs as pid {}", hypervisor->pid());
  return std::unique_ptr<xl::hv::Hypervisor>(std::move(hypervisor));
}

xl::Result<std::unique_ptr<xl::hv::Hypervisor>> attach(const bundled::Options& options) {
  if (!bundled::is_left_running(options.runtime_dir)) {
    return std::unique_ptr<xl::hv::Hypervisor>();
  }
  return start(options);
}

xl::Result<void> end_hypervisor(const std::string& runtime_dir) {
  XL_TRY_ASSIGN(const xl::UniqueFd lock, bundled::lock_runtime_dir(runtime_dir));
  return bundled::end_stale(runtime_dir);
}

// Xen runs without us: attaching is opening, and there is nothing to end.
xl::daemon::Backend xen_backend() {
  const auto open = []() -> xl::Result<std::unique_ptr<xl::hv::Hypervisor>> {
    XL_TRY_ASSIGN(std::unique_ptr<xl::hv::Hypervisor> hypervisor, xl::hv::open_xen());
    spdlog::info("this is domain 0 of Xen");
    return hypervisor;
  };
  xl::daemon::Backend backend{open, open, [] { return xl::Result<void>(); }};
  backend.host = xl::toolstack::HostServices{};
  backend.probe = xl::hv::probe_xen;
  return backend;
}

xl::daemon::Backend bundled_backend(const xl::daemon::Options& options) {
  const bundled::Options chosen = backend_options(options);
  return {[chosen] { return start(chosen); }, [chosen] { return attach(chosen); },
          [directory = options.runtime_dir] { return end_hypervisor(directory); },
          std::nullopt, [chosen] { return bundled::probe(chosen); }};
}

xl::daemon::Backend choose(const xl::daemon::Options& options) {
  using xl::daemon::HypervisorChoice;
  const bool xen =
      options.hypervisor == HypervisorChoice::xen ||
      (options.hypervisor == HypervisorChoice::automatic && xl::hv::runs_on_xen_dom0());
  return xen ? xen_backend() : bundled_backend(options);
}

}  // namespace

int main(int count, char** words) {
  return xl::daemon::run(count, words, choose);
}
