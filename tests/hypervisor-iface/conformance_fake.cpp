// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "tests/hypervisor-iface/conformance.hpp"

namespace xl::hv {
namespace {

class FakeBackend final : public Backend {
 public:
  Hypervisor& hypervisor() override { return *fake_; }
  void attach_again() override { fake_ = fake_->attach_again(); }

 private:
  std::unique_ptr<fake::FakeHypervisor> fake_ =
      std::make_unique<fake::FakeHypervisor>(fake::Options{.memory = Pages(1 << 17)});
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<FakeBackend>();
}

}  // namespace xl::hv
