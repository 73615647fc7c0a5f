// SPDX-License-Identifier: Apache-2.0
// A Toolstack over the fake hypervisor, in a directory of its own, with a kernel that the builder
// takes.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::toolstack::fixture {

// A bound for waits that end by an event; reached only by a test that fails.
inline constexpr std::chrono::seconds patience{20};

// Values that another thread brings, to be waited for.
template <typename Value>
class Mailbox {
 public:
  void put(Value value) {
    {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
    }
    arrived_.notify_all();
  }
  // The first value that satisfies; those before it are dropped.
  std::optional<Value> wait_for(const std::function<bool(const Value&)>& wanted) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
      while (!values_.empty()) {
        Value value = std::move(values_.front());
        values_.pop_front();
        if (wanted(value)) {
          return value;
        }
      }
      if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout) {
        return std::nullopt;
      }
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Value> values_;
};

class ToolstackTest : public ::testing::Test {
 protected:
  ToolstackTest();
  ~ToolstackTest() override;

  // The hypervisor that was started last; null before.
  hv::fake::FakeHypervisor& fake() { return *fakes_.back(); }
  std::size_t starts() const { return fakes_.size(); }
  Toolstack& toolstack() { return *toolstack_; }
  // The toolstack goes, and comes again without what it knew, and without the hypervisor.
  void restart_toolstack();
  // The toolstack goes as if it had been killed; the hypervisor stays, for the next to find.
  void kill_toolstack();
  void start_toolstack();  // the next, after kill_toolstack

  config::DomainConfig config(const std::string& name = "guest") const;
  // Creates, and expects that to work.
  DomId create(const config::DomainConfig& config, CreateOptions options = {});
  DomId create(const std::string& name = "guest") { return create(config(name)); }
  std::optional<LifecycleEvent> wait_for(LifecycleEvent::Kind kind, DomId id);
  std::vector<std::string> names();  // of list(), without Domain-0
  std::vector<std::string> log_files() const;
  // Nodes below the path, recursively counted, as the guest's own view would need too many steps.
  std::string write_file(const std::string& name, const std::string& content) const;
  const std::string& directory() const { return directory_; }

  // Plays the guest: prints, and tells domain 0.
  void guest_prints(DomId id, const std::string& text);
  EventPort guest_port(DomId id, std::uint32_t hvm_param);

  Options options_;
  std::function<void()> on_start_ = [] {};
  // What the toolstack gets in place of the fake.
  std::function<std::unique_ptr<hv::Hypervisor>(std::unique_ptr<hv::Hypervisor>)> wrap_ =
      [](std::unique_ptr<hv::Hypervisor> fake) { return fake; };
  Result<void> start_result_ = {};  // what the next start of a hypervisor gives

 private:
  std::string directory_;
  std::string kernel_;
  // The test's own hold on each, which outlives the toolstack's.
  std::vector<std::unique_ptr<hv::fake::FakeHypervisor>> fakes_;
  bool is_left_ = false;  // by a killed toolstack
  Mailbox<LifecycleEvent> events_;
  std::unique_ptr<Toolstack> toolstack_;
  std::unique_ptr<Subscription> subscription_;
};

// The smallest ELF file with a PVH entry: one page at 1 MiB.
std::string tiny_kernel(std::string guest_os = "tiny");

}  // namespace xl::toolstack::fixture
