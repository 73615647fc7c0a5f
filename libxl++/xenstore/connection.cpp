// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/connection.hpp"

#include <spdlog/spdlog.h>
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/scope_exit.hpp"
#include "libxl++/xenstore/store.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

// Of a tool, which no limit of domains binds.
constexpr std::size_t max_tool_events = 16384;

}  // namespace

Connection::Connection(Store& store, Caller caller, std::function<void()> event_queued)
    : store_(store), caller_(caller), event_queued_(std::move(event_queued)) {}

Connection::~Connection() {
  drop_watches();
  if (has_moved_) {
    store_.drop_moved(*this);
  }
}

void Connection::drop_watches() {
  for (const auto& watch : watches_) {
    store_.watches().remove(*watch);
  }
  watches_.clear();
}

void Connection::reset() {
  if (kept_) {
    store_.recorder().reset(caller_.domain);
  }
  drop_watches();
  transactions_.clear();
  input_.clear();
  input_.shrink_to_fit();
  output_.clear();
  output_sent_ = replies_queued_ = events_queued_ = 0;
  recorded_sent_ = 0;
  broken_ = !introduced_;
  moved();
}

void Connection::break_off() {
  broken_ = true;
  moved();
}

void Connection::set_target(DomId target) {
  caller_.target = target;
  if (kept_) {
    store_.recorder().target(caller_.domain, target);
  }
}

const Limits& Connection::limits() const {
  return store_.limits(caller_.domain);
}

std::size_t Connection::receive(std::span<const std::byte> bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && may_take_request()) {
    std::size_t wanted = header_size;
    if (input_.size() >= header_size) {
      wanted += parse_header(std::as_bytes(std::span(input_)).first<header_size>()).length;
    }
    const std::size_t count = std::min(wanted - input_.size(), bytes.size() - taken);
    const std::size_t old_size = input_.size();
    input_.resize(old_size + count);
    std::memcpy(input_.data() + old_size, bytes.data() + taken, count);
    taken += count;
    process_message();
  }
  if (taken != 0) {
    moved();
  }
  return taken;
}

void Connection::process_message() {
  if (input_.size() < header_size) {
    return;
  }
  const Header header = parse_header(std::as_bytes(std::span(input_)).first<header_size>());
  if (header.length > max_payload) {
    if (std::has_single_bit(++breaches_)) {  // a guest may start afresh and go on so
      spdlog::warn("xenstore: domain {} sent a message of {} bytes; its connection is closed",
                   caller_.domain.value(), header.length);
    }
    broken_ = true;
    return;
  }
  if (input_.size() < header_size + header.length) {
    return;
  }
  // Not the member: an idle client shall not hold on to the room of its largest message.
  const std::string message = std::exchange(input_, {});
  in_request_ = true;
  const ScopeExit request_over([this] { in_request_ = false; });
  std::string_view payload = message;
  payload.remove_prefix(header_size);
  if (header.type < request_types) {
    ++store_.counts().by_type[header.type];
  }
  Request request{header, PayloadReader(payload)};
  queue_reply(header, dispatch(request));
  if (request.first_event != nullptr) {
    queue_event(*request.first_event, request.first_event->path);
  }
  store_.fire(request.changes);
  note_limits();
}

void Connection::queue_reply(const Header& header, Reply reply) {
  if (reply && reply->size() > max_payload) {
    reply = refuse(E2BIG);
  }
  if (reply) {
    output_.push_back(
        {encode(header.type, header.request, header.transaction, *reply), false, false});
  } else {
    ++store_.counts().errors;
    const std::string payload = std::string(wire_name(reply.error())) + '\0';
    output_.push_back(
        {encode(XS_ERROR, header.request, header.transaction, payload), false, false});
  }
  ++replies_queued_;
}

void Connection::queue_event(const Watch& watch, std::string_view path) {
  std::string payload(path.substr(watch.relative_prefix));
  payload += '\0';
  payload += watch.token;
  payload += '\0';
  if (payload.size() > max_payload || broken_) {
    return;
  }
  std::string message = encode(XS_WATCH_EVENT, 0, 0, payload);
  if (caller_.is_privileged() && events_queued_ >= max_tool_events) {
    spdlog::warn("xenstore: a tool does not fetch its events; its connection is closed");
    break_off();
    output_.clear();
    output_sent_ = replies_queued_ = events_queued_ = 0;
    event_queued_();
    return;
  }
  if (!caller_.is_privileged() && exceeds(events_queued_ + 1, limits().pending_events)) {
    // The same event twice says no more than once; only what cannot be said at all is a loss.
    const bool is_queued = std::any_of(
        output_.begin() + (output_sent_ != 0 ? 1 : 0), output_.end(),
        [&](const Output& queued) { return queued.is_event && queued.bytes == message; });
    if (!is_queued) {
      ++store_.hits(caller_.domain).pending_events;
      note_limits();
    }
    return;
  }
  output_.push_back({std::move(message), true, false});
  ++events_queued_;
  ++store_.counts().events;
  moved();
  if (!in_request_ && event_queued_) {
    event_queued_();
  }
}

std::size_t Connection::send(std::span<std::byte> room) {
  std::size_t sent = 0;
  while (sent < room.size() && !output_.empty()) {
    const Output& front = output_.front();
    const std::size_t count = std::min(front.bytes.size() - output_sent_, room.size() - sent);
    std::memcpy(room.data() + sent, front.bytes.data() + output_sent_, count);
    recorded_sent_ += front.is_recorded ? count : 0;
    drop_output(count);
    sent += count;
  }
  if (sent != 0) {
    moved();
  }
  return sent;
}

void Connection::drop_output(std::size_t count) {
  while (count != 0) {
    const Output& front = output_.front();
    const std::size_t part = std::min(front.bytes.size() - output_sent_, count);
    count -= part;
    output_sent_ += part;
    if (output_sent_ == front.bytes.size()) {
      --(front.is_event ? events_queued_ : replies_queued_);
      output_.pop_front();
      output_sent_ = 0;
    }
  }
}

// A guest that runs into its limits is to be seen, and is not to fill the log.
void Connection::note_limits() {
  const auto account = store_.all_hits().find(caller_.domain.value());
  if (account == store_.all_hits().end()) {
    return;
  }
  const std::uint64_t total = account->second.total();
  if (total > limit_hits_logged_ && std::has_single_bit(total)) {
    limit_hits_logged_ = total;
    spdlog::warn("xenstore: domain {} has run into its limits {} times: {}", caller_.domain.value(),
                 total, to_string(account->second));
    if (store_.limits_hit) {
      store_.limits_hit(caller_.domain, account->second);
    }
  }
}

}  // namespace xl::xenstore
