// SPDX-License-Identifier: Apache-2.0
// A hypervisor that one daemon holds until it dies: the daemon is killed at a chosen call, before
// or after that has its effect, and reaches nothing any more. The hypervisor behind it lives on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::fake {

// When a daemon dies, and whether it has. Any thread.
class Fate {
 public:
  enum class Moment { before, after };

  // `on_death` runs in the thread that makes the call: what is on disk then is what is left.
  void die_at(std::uint64_t call, Moment moment, std::function<void()> on_death) {
    const std::lock_guard lock(mutex_);
    calls_left_ = call;
    moment_ = moment;
    on_death_ = std::move(on_death);
  }
  // Not dead, and it will not die any more.
  bool is_spared() {
    const std::lock_guard lock(mutex_);
    calls_left_ = 0;
    return !dead_;
  }
  bool is_dead() {
    const std::lock_guard lock(mutex_);
    return dead_;
  }

  template <typename Call>
  auto pass(Call call) -> decltype(call()) {
    const std::lock_guard lock(mutex_);
    const bool is_last = !dead_ && calls_left_ != 0 && --calls_left_ == 0;
    if (is_last && moment_ == Moment::after) {
      (void)call().has_value();
    }
    if (is_last) {
      dead_ = true;
      on_death_();
    }
    return dead_ ? fail(ErrorCode::hypervisor_gone, "this daemon is dead") : call();
  }
  // The event thread's, which come by chance: not counted.
  template <typename Call>
  auto pass_uncounted(Call call) -> decltype(call()) {
    const std::lock_guard lock(mutex_);
    return dead_ ? fail(ErrorCode::hypervisor_gone, "this daemon is dead") : call();
  }

 private:
  std::mutex mutex_;  // held during a call, so that a death is a point in time
  std::uint64_t calls_left_ = 0;
  Moment moment_ = Moment::before;
  bool dead_ = false;
  std::function<void()> on_death_;
};

class MortalHypervisor final : public Hypervisor {
 public:
  MortalHypervisor(std::unique_ptr<Hypervisor> behind, std::shared_ptr<Fate> fate)
      : behind_(std::move(behind)), fate_(std::move(fate)) {}

#define XL_PASS(name, parameters, ...)                        \
  name parameters override {                                  \
    return fate_->pass([&] { return behind_->__VA_ARGS__; }); \
  }
  Result<HostInfo> XL_PASS(host_info, (), host_info()) Result<LogText> XL_PASS(
      read_log, (std::uint64_t from), read_log(from)) Result<void> XL_PASS(ping, (), ping())
      Result<void> XL_PASS(power_off, (), power_off()) Result<DomId> XL_PASS(
          create_domain, (const DomainOptions& o),
          create_domain(o)) Result<void> XL_PASS(destroy_domain, (DomId d),
                                                 destroy_domain(d)) Result<void> XL_PASS(pause,
                                                                                         (DomId d),
                                                                                         pause(d))
          Result<void> XL_PASS(unpause, (DomId d), unpause(d)) Result<DomainInfo> XL_PASS(
              domain_info, (DomId d),
              domain_info(d)) Result<std::vector<DomainInfo>> XL_PASS(list_domains, (),
                                                                      list_domains())
              Result<void> XL_PASS(shutdown_domain, (DomId d, ShutdownReason r),
                                   shutdown_domain(d, r)) Result<void> XL_PASS(resume_domain,
                                                                               (DomId d),
                                                                               resume_domain(d))
                  Result<void> XL_PASS(soft_reset, (DomId d), soft_reset(d)) Result<void> XL_PASS(
                      set_max_memory, (DomId d, Pages p),
                      set_max_memory(d, p)) Result<void> XL_PASS(populate_physmap,
                                                                 (DomId d,
                                                                  std::span<const Extent> e),
                                                                 populate_physmap(d, e))
                      Result<void> XL_PASS(
                          populate_on_demand, (DomId d, std::span<const Extent> e, Pages p),
                          populate_on_demand(d, e,
                                             p)) Result<void> XL_PASS(set_memory_target,
                                                                      (DomId d, Pages p, Excess x),
                                                                      set_memory_target(d, p, x))
                          Result<std::vector<Extent>> XL_PASS(
                              populated_extents, (DomId d),
                              populated_extents(d)) Result<GuestMapping> XL_PASS(map_frames,
                                                                                 (DomId d,
                                                                                  Extent e),
                                                                                 map_frames(d, e))
                              Result<void> XL_PASS(
                                  copy_to_guest,
                                  (DomId d, GuestPhys a, std::span<const std::byte> b),
                                  copy_to_guest(
                                      d, a, b)) Result<void> XL_PASS(copy_from_guest,
                                                                     (DomId d, GuestPhys a,
                                                                      std::span<std::byte> b),
                                                                     copy_from_guest(d, a, b))
                                  Result<void> XL_PASS(set_memory_map,
                                                       (DomId d, std::span<const MemoryMapEntry> m),
                                                       set_memory_map(d, m))
                                      Result<void> XL_PASS(
                                          set_hvm_params,
                                          (DomId d, std::span<const HvmParam> p),
                                          set_hvm_params(
                                              d, p)) Result<std::uint64_t> XL_PASS(get_hvm_param,
                                                                                   (
                                                                                       DomId d,
                                                                                       std::uint32_t i),
                                                                                   get_hvm_param(d,
                                                                                                 i))
                                          Result<void> XL_PASS(
                                              set_cpuid_policy,
                                              (DomId d, std::span<const CpuidLeaf> l),
                                              set_cpuid_policy(
                                                  d, l)) Result<VcpuContext> XL_PASS(get_vcpu_context,
                                                                                     (DomId d, VcpuId v),
                                                                                     get_vcpu_context(
                                                                                         d, v))
                                              Result<void> XL_PASS(
                                                  set_vcpu_context,
                                                  (DomId d, VcpuId v, const VcpuContext& c),
                                                  set_vcpu_context(
                                                      d, v, c)) Result<VcpuInfo> XL_PASS(vcpu_info, (DomId d, VcpuId v),
                                                                                         vcpu_info(d, v))
                                                  Result<void> XL_PASS(
                                                      set_vcpu_affinity,
                                                      (DomId d, VcpuId v, std::optional<CpuSet> h,
                                                       std::optional<CpuSet> s),
                                                      set_vcpu_affinity(d, v, h, s))
                                                      Result<SchedulingParameters> XL_PASS(
                                                          scheduling,
                                                          (DomId d), scheduling(d))
                                                          Result<void> XL_PASS(
                                                              set_scheduling,
                                                              (DomId d, const SchedulingParameters&
                                                                            p),
                                                              set_scheduling(d, p))
                                                              Result<void> XL_PASS(
                                                                  send_trigger,
                                                                  (DomId d, VcpuId v, Trigger t),
                                                                  send_trigger(d, v, t))
                                                                  Result<EventPort> XL_PASS(
                                                                      event_alloc_unbound,
                                                                      (DomId d, DomId r),
                                                                      event_alloc_unbound(d, r))
                                                                      Result<EventBinding> XL_PASS(
                                                                          event_bind,
                                                                          (DomId d, EventPort p),
                                                                          event_bind(d, p))
                                                                          Result<void> XL_PASS(
                                                                              event_close,
                                                                              (EventPort p),
                                                                              event_close(p))
                                                                              Result<std::vector<HostBinding>> XL_PASS(
                                                                                  event_bindings,
                                                                                  (),
                                                                                  event_bindings())
                                                                                  Result<void> XL_PASS(
                                                                                      grant_seed,
                                                                                      (DomId d,
                                                                                       std::span<
                                                                                           const GrantSeed>
                                                                                           s),
                                                                                      grant_seed(
                                                                                          d, s))
                                                                                      Result<GuestMapping> XL_PASS(
                                                                                          grant_map,
                                                                                          (DomId d,
                                                                                           GrantRef
                                                                                               g,
                                                                                           bool w),
                                                                                          grant_map(
                                                                                              d, g,
                                                                                              w))
                                                                                          Result<std::vector<NamedCounter>> XL_PASS(
                                                                                              counters,
                                                                                              (std::optional<
                                                                                                  DomId>
                                                                                                   d),
                                                                                              counters(
                                                                                                  d))
#undef XL_PASS

                                                                                              Result<void> event_notify(
                                                                                                  EventPort
                                                                                                      port)
                                                                                                  override {
    return fate_->pass_uncounted([&] { return behind_->event_notify(port); });
  }
  Result<Pending> take_events() override {
    return fate_->pass_uncounted([&] { return behind_->take_events(); });
  }
  int event_fd() const override {
    return behind_->event_fd();
  }

 private:
  const std::unique_ptr<Hypervisor> behind_;
  const std::shared_ptr<Fate> fate_;
};

}  // namespace xl::hv::fake
