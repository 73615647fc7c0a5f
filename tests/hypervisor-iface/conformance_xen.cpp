// SPDX-License-Identifier: Apache-2.0
// The real Xen, by the module that xld loads. Runs in domain 0 only: ./devtool xen-testbed.
#include "hypervisor-iface/xen_loader.hpp"
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

class XenBackend final : public Backend {
 public:
  XenBackend() { open(); }
  bool is_open() const { return hypervisor_ != nullptr; }
  Hypervisor& hypervisor() override { return *hypervisor_; }
  void attach_again() override {
    hypervisor_.reset();
    open();
  }
  Traits traits() const override {
    Traits traits;
    traits.is_ours = false;
    traits.bindings_outlive_the_object = false;
    traits.withdraws_memory = false;
    traits.memory_map_rows = 1024;
    return traits;
  }

 private:
  void open() {
    auto opened = open_xen();
    if (!opened) {
      ADD_FAILURE() << describe(opened.error());
      return;
    }
    hypervisor_ = std::move(opened).value();
  }
  std::unique_ptr<Hypervisor> hypervisor_;
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  auto backend = std::make_unique<XenBackend>();
  return backend->is_open() ? std::move(backend) : nullptr;
}

}  // namespace xl::hv
