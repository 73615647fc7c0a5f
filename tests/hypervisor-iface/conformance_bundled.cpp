// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor-iface/bundled_fixture.hpp"
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

class BundledBackend final : public Backend {
 public:
  BundledBackend() { start(); }
  void start() {
    auto started = bundled::BundledHypervisor::start(bundled::test_options(directory_.path()));
    if (!started) {
      ADD_FAILURE() << describe(started.error());
      return;
    }
    hypervisor_ = std::move(started).value();
  }
  ~BundledBackend() override {
    if (hypervisor_) {
      hypervisor_->terminate();
    }
  }
  bool started() const { return hypervisor_ != nullptr; }
  Hypervisor& hypervisor() override { return *hypervisor_; }
  void attach_again() override {
    hypervisor_.reset();
    start();
  }

 private:
  bundled::TemporaryDir directory_;
  std::unique_ptr<bundled::BundledHypervisor> hypervisor_;
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  auto backend = std::make_unique<BundledBackend>();
  return backend->started() ? std::move(backend) : nullptr;
}

}  // namespace xl::hv
