// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/console.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <memory>
#include <utility>

namespace xl::console {

Console::Console(hv::GuestMapping page, std::string log_path, std::uint64_t log_limit)
    : page_(std::move(page)),
      ring_(std::in_place, page_.segments().front().bytes),
      log_(std::move(log_path), log_limit) {}

// Both directions of the ring, under the lock. Returns whether the guest is to be notified.
bool Console::exchange(std::span<std::byte, Ring::output_size> buffer, std::size_t& count) {
  const Ring::Read read = ring_->read_output(buffer);
  count = read.count;
  const std::size_t given =
      input_.empty() ? 0 : ring_->write_input(std::as_bytes(std::span(input_)));
  input_.erase(0, given);
  if (input_.empty()) {
    input_.shrink_to_fit();
  }
  return read.notify || given != 0;
}

Console::Progress Console::pump() {
  Progress progress;
  std::array<std::byte, Ring::output_size> buffer;
  std::size_t count = 0;
  std::vector<Entry> newcomers;
  std::string replay;
  bool ended = false;
  {
    const std::lock_guard lock(mutex_);
    newcomers.swap(newcomers_);
    if (!newcomers.empty()) {
      replay = history_.text();
    }
    ended = !ring_;
    if (ring_) {
      progress.notify = exchange(buffer, count);
    }
    history_.append(std::span(buffer).first(count));
  }
  for (Entry& newcomer : newcomers) {
    if (!replay.empty()) {
      newcomer->call(std::as_bytes(std::span(replay)));
    }
    if (end_told_) {
      newcomer->call({});
    }
    listeners_.add(std::move(newcomer));
  }
  if (count != 0) {
    keep_log(std::span(buffer).first(count));
    listeners_.call(std::span(buffer).first(count));
    progress.more = true;  // a look at an empty ring is cheap
  }
  if (ended && !end_told_) {
    end_told_ = true;
    listeners_.call({});
  }
  return progress;
}

void Console::keep_log(std::span<const std::byte> bytes) {
  const auto kept = log_.append(bytes);
  if (!kept && !log_failed_) {
    spdlog::warn("console log is incomplete: {}", describe(kept.error()));
  }
  log_failed_ = !kept;
}

Console::Listeners::Handle Console::attach(Output output) {
  auto entry = std::make_shared<Listeners::Entry>(std::move(output));
  const std::lock_guard lock(mutex_);
  newcomers_.push_back(entry);
  return Listeners::Handle(std::move(entry));
}

Result<void> Console::write(std::span<const std::byte> input) {
  const std::lock_guard lock(mutex_);
  if (!ring_) {
    return fail(ErrorCode::not_found, "the console has ended");
  }
  if (input.size() > input_limit - input_.size()) {
    return fail(ErrorCode::busy, "the domain does not read its console: " +
                                     std::to_string(input_.size()) + " bytes are waiting");
  }
  // SAFETY: bytes as characters.
  input_.append(reinterpret_cast<const char*>(input.data()), input.size());
  return {};
}

void Console::end() {
  const std::lock_guard lock(mutex_);
  ring_.reset();
  page_ = {};
  input_.clear();
}

std::string Console::text() const {
  const std::lock_guard lock(mutex_);
  return history_.text();
}

}  // namespace xl::console
