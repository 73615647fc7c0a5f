// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/ring_console.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace xl::console {

RingConsole::RingConsole(hv::GuestMapping page, Files files, Origin origin)
    : page_(std::move(page)),
      history_(origin == Origin::adopted ? History::resume(std::move(files.history))
                                         : History(std::move(files.history))),
      log_(std::move(files.log), files.log_limit) {
  const std::optional<History::Position>& position = history_.position();
  if (position) {
    log_once(log_.cut_to(position->log_size));
  }
  if (page_.segments().empty()) {
    final_text_ = history_.text();
    return;
  }
  const std::span<std::byte> bytes = page_.segments().front().bytes;
  if (position) {
    ring_.emplace(bytes, position->ring_taken);
  } else {
    ring_.emplace(bytes);
  }
  notify_once_ = origin == Origin::adopted;
}

RingConsole::Progress RingConsole::pump() {
  Progress progress;
  Turn turn;
  begin(turn);
  for (Entry& newcomer : turn.newcomers) {
    if (!turn.replay.empty()) {
      newcomer->call(std::as_bytes(std::span(turn.replay)));
    }
    if (end_told_) {
      newcomer->call({});
    }
    listeners_.add(std::move(newcomer));
  }
  if (turn.count != 0) {
    keep(turn);
    listeners_.call(turn.output());
    progress.more = true;  // a look at an empty ring is cheap
  }
  if (turn.ended && !end_told_) {
    end_told_ = true;
    listeners_.call({});
  }
  finish(turn);
  progress.notify = turn.notify;
  return progress;
}

void RingConsole::begin(Turn& turn) {
  const std::lock_guard lock(mutex_);
  turn.newcomers.swap(newcomers_);
  if (!turn.newcomers.empty()) {
    turn.replay = ring_ ? history_.text() : final_text_;
  }
  turn.ended = !ring_;
  if (ring_) {
    const Ring::Read read = ring_->peek_output(turn.buffer);
    turn.count = read.count;
    turn.taken = ring_->output_taken() + static_cast<std::uint32_t>(read.count);
    turn.notify = read.notify;
  }
}

// Where the log stands is noted before it grows for the first time, or has lost its older half: its
// size tells what of it counts. Then all that is to stay, then the one step that makes it count.
void RingConsole::keep(const Turn& turn) {
  const std::lock_guard lock(mutex_);
  if (!ring_) {
    log_once(log_.append(turn.output()));
    // SAFETY: bytes as characters.
    final_text_.append(reinterpret_cast<const char*>(turn.output().data()), turn.count);
    return;
  }
  const auto count = static_cast<std::uint32_t>(turn.count);
  const auto room = log_.make_room(count);
  log_once(room ? Result<void>() : Unexpected(Error(room.error())));
  const std::uint64_t log_size = room.value_or(0);
  if (!history_.position() || history_.position()->log_size != log_size) {
    log_once(history_.commit({turn.taken - count, log_size}));
  }
  log_once(history_.append(turn.output()));
  log_once(log_.append(turn.output()));
  log_once(history_.commit({turn.taken, log_size + count}));
}

// What was kept leaves the ring, unless the domain ended meanwhile; input goes the other way.
void RingConsole::finish(Turn& turn) {
  const std::lock_guard lock(mutex_);
  turn.notify |= std::exchange(notify_once_, false);
  if (!ring_) {
    return;
  }
  if (turn.count != 0 && ring_->take_output(turn.count)) {
    turn.notify = true;
  }
  const std::size_t given =
      input_.empty() ? 0 : ring_->write_input(std::as_bytes(std::span(input_)));
  input_.erase(0, given);
  if (input_.empty()) {
    input_.shrink_to_fit();
  }
  turn.notify |= given != 0;
}

void RingConsole::log_once(const Result<void>& kept) {
  if (!kept && !std::exchange(keeping_failed_, true)) {
    spdlog::warn("what a console printed is not kept wholly: {}", describe(kept.error()));
  }
}

RingConsole::Listeners::Handle RingConsole::attach(Output output) {
  auto entry = std::make_shared<Listeners::Entry>(std::move(output));
  const std::lock_guard lock(mutex_);
  newcomers_.push_back(entry);
  return Listeners::Handle(std::move(entry));
}

Result<void> RingConsole::write(std::span<const std::byte> input) {
  const std::lock_guard lock(mutex_);
  if (!ring_) {
    return fail(ErrorId::console_ended, "the console has ended");
  }
  return queue_input(input_, input);
}

void RingConsole::end() {
  const std::lock_guard lock(mutex_);
  if (ring_) {
    final_text_ = history_.text();
  }
  ring_.reset();
  page_ = {};
  input_.clear();
}

std::string RingConsole::text() const {
  const std::lock_guard lock(mutex_);
  return ring_ ? history_.text() : final_text_;
}

}  // namespace xl::console
