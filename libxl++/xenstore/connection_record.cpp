// SPDX-License-Identifier: Apache-2.0
// A guest's connection as the journal keeps it.
#include <algorithm>
#include <utility>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/store.hpp"

namespace xl::xenstore {

void Connection::moved() {
  if (kept_ && !has_moved_) {
    has_moved_ = true;
    store_.note_moved(*this);
  }
}

void Connection::forget() {
  kept_ = false;
  if (std::exchange(has_moved_, false)) {
    store_.drop_moved(*this);
  }
}

void Connection::set_introduced(bool introduced) {
  introduced_ = introduced;
  moved();
}

void Connection::set_position(const RingPosition& position) {
  if (position_ != position) {
    position_ = position;
    moved();
  }
}

void Connection::record_step(Recorder& recorder) {
  has_moved_ = false;
  Step step;
  step.position = position_;
  step.broken = broken_;
  step.introduced = introduced_;
  step.sent = std::exchange(recorded_sent_, 0);
  // What is not recorded stands at the end.
  auto first = output_.end();
  while (first != output_.begin() && !std::prev(first)->is_recorded) {
    --first;
  }
  for (; first != output_.end(); ++first) {
    first->is_recorded = true;
    std::string_view bytes = first->bytes;
    bytes.remove_prefix(first == output_.begin() ? output_sent_ : 0);
    step.queued.push_back({bytes, first->is_event});
  }
  step.input = input_;
  recorder.step(caller_.domain, step);
}

void Connection::record_all(Recorder& recorder) const {
  if (caller_.target) {
    recorder.target(caller_.domain, *caller_.target);
  }
  for (const auto& watch : watches_) {
    recorder.watch(caller_.domain, *watch);
  }
  for (const auto& transaction : transactions_) {
    recorder.transaction_start(caller_.domain, transaction.first);
  }
  Step step;
  step.position = position_;
  step.broken = broken_;
  step.introduced = introduced_;
  for (const Output& output : output_) {
    std::string_view bytes = output.bytes;
    bytes.remove_prefix(step.queued.empty() ? output_sent_ : 0);
    step.queued.push_back({bytes, output.is_event});
  }
  step.input = input_;
  recorder.step(caller_.domain, step);
}

bool Connection::restore_step(const Step& step) {
  std::uint64_t queued = 0;
  for (const Output& output : output_) {
    queued += output.bytes.size();
  }
  if (step.sent > queued - output_sent_) {
    return false;
  }
  bool is_complete = step.input.size() >= header_size;
  if (is_complete && !step.broken) {
    const Header header = parse_header(std::as_bytes(std::span(step.input)).first<header_size>());
    if (header.length > max_payload) {
      return false;
    }
    is_complete = step.input.size() >= header_size + header.length;
  }
  if (is_complete && !step.broken) {
    return false;
  }
  drop_output(static_cast<std::size_t>(step.sent));
  for (const Step::Output& output : step.queued) {
    if (output.bytes.empty()) {
      return false;
    }
    output_.push_back({std::string(output.bytes), output.is_event, true});
    ++(output.is_event ? events_queued_ : replies_queued_);
  }
  position_ = step.position;
  broken_ = step.broken;
  introduced_ = step.introduced;
  input_ = step.input;
  return true;
}

void Connection::restore_watch(std::string path, std::string token, std::size_t relative_prefix,
                               std::optional<std::uint32_t> depth) {
  auto watch = std::make_unique<Watch>();
  watch->owner = this;
  watch->path = std::move(path);
  watch->token = std::move(token);
  watch->relative_prefix = relative_prefix;
  watch->depth = depth;
  store_.watches().add(*watch);
  watches_.push_back(std::move(watch));
}

bool Connection::restore_unwatch(std::string_view path, std::string_view token) {
  const auto found = find_watch(path, token);
  if (found == watches_.end()) {
    return false;
  }
  store_.watches().remove(**found);
  watches_.erase(found);
  return true;
}

void Connection::restore_reset_watches() {
  drop_watches();
  transactions_.clear();
}

// Its changes were in the memory of the process that is gone; the guest learns at the end, as if
// another had been faster, and tries again.
void Connection::restore_transaction(std::uint32_t id) {
  transactions_.try_emplace(id, store_.tree()).first->second.is_stale = true;
  next_transaction_ = id + 1;
}

}  // namespace xl::xenstore
