// SPDX-License-Identifier: Apache-2.0
// The waist's promises as one set of tests that every backend runs. A program links
// conformance_*.cpp and one make_backend().
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv {

// In what the hypervisors differ by nature; docs/two-hypervisors.md has all of it.
struct Traits {
  // The only user of a hypervisor of its own: its host's ports, frames and end are ours to count.
  bool is_ours = true;
  // Ports of domain 0 are the hypervisor's to keep, not this process's.
  bool bindings_outlive_the_object = true;
  // Excess::withdraw does what it says.
  bool withdraws_memory = true;
  std::size_t memory_map_rows = 128;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Hypervisor& hypervisor() = 0;
  // The object goes, and another one comes to the same hypervisor.
  virtual void attach_again() = 0;
  virtual Traits traits() const { return {}; }
};
std::unique_ptr<Backend> make_backend();

// Succeeded; the failure's text otherwise.
template <typename T>
testing::AssertionResult ok(const Result<T>& result) {
  return result ? testing::AssertionSuccess()
                : testing::AssertionFailure()
                      << to_string(result.error().code) << ": " << describe(result.error());
}
template <typename T>
testing::AssertionResult fails(const Result<T>& result, ErrorCode code) {
  if (result) {
    return testing::AssertionFailure() << "succeeded";
  }
  return result.error().code == code ? testing::AssertionSuccess()
                                     : testing::AssertionFailure()
                                           << to_string(result.error().code) << ": "
                                           << describe(result.error());
}

// One hypervisor for all tests of a suite; each test sees that it leaves no domain and no frame
// behind.
class Conformance : public testing::Test {
 protected:
  static void SetUpTestSuite() { backend_ = make_backend(); }
  static void TearDownTestSuite() { backend_.reset(); }
  void SetUp() override;
  void TearDown() override;

  Hypervisor& hv() { return backend_->hypervisor(); }
  Traits traits() { return backend_->traits(); }
  // By how much free memory may move by itself: where others take and give as well.
  Pages noise() { return traits().is_ours ? Pages(0) : Pages(512); }
  void attach_again() { backend_->attach_again(); }
  // A domain with `pages` of memory from gfn 0 on, destroyed at the end.
  DomId make_domain(Pages pages = Pages(1024), std::uint32_t vcpus = 1);
  void destroy(DomId domain);

  static constexpr DomId no_domain = DomId(0x7fef);

 private:
  static std::unique_ptr<Backend> backend_;
  std::vector<DomId> made_;
  Pages free_before_;
};

}  // namespace xl::hv
