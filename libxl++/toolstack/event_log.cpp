// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/event_log.hpp"

#include <algorithm>
#include <utility>

namespace xl::toolstack {
namespace {

using Clock = std::chrono::system_clock;

// A crash report may be a whole log; what is kept of it is bounded.
constexpr std::size_t longest_report = 8 << 10;

}  // namespace

EventLog::EventLog(std::size_t limit)
    : limit_(limit),
      last_(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
              .count())) {}

void EventLog::add(LifecycleEvent event, const std::function<void(const LifecycleEvent&)>& next) {
  event.time = Clock::now();
  const std::lock_guard lock(mutex_);
  event.sequence = ++last_;
  ++counts_[event.kind];
  next(event);
  if (event.end && event.end->report.size() > longest_report) {
    event.end->report.resize(longest_report);
  }
  events_.push_back(std::move(event));
  if (events_.size() > limit_) {
    events_.pop_front();
  }
}

std::vector<LifecycleEvent> EventLog::after(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::upper_bound(
      events_.begin(), events_.end(), sequence,
      [](std::uint64_t number, const LifecycleEvent& event) { return number < event.sequence; });
  return {first, events_.end()};
}

std::map<LifecycleEvent::Kind, std::uint64_t> EventLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace xl::toolstack
