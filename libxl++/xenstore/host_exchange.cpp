// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_exchange.hpp"

#include <utility>

#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

std::string_view first_string(std::string_view payload) {
  return payload.substr(0, payload.find('\0'));
}

Unexpected<Error> breach(const std::string& what) {
  return fail(ErrorCode::protocol, "xenstored sent " + what);
}

}  // namespace

Result<std::string> HostExchange::begin(std::span<const HostRequest> requests, Batch* batch) {
  for (const HostRequest& request : requests) {
    if (request.payload.size() > max_payload) {
      return fail(ErrorCode::limit, "xenstore: '" + std::string(first_string(request.payload)) +
                                        "' and its value are " +
                                        std::to_string(request.payload.size()) + " bytes; " +
                                        std::to_string(max_payload) + " are the most");
    }
  }
  const std::lock_guard lock(mutex_);
  if (ended_) {
    return Unexpected(Error(*ended_));
  }
  if (batch != nullptr) {
    batch->replies.assign(requests.size(), refuse(EIO));
    batch->outstanding = requests.size();
  }
  std::string bytes;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    while (pending_.contains(++last_number_)) {
    }
    pending_.emplace(last_number_, Pending{requests[i].type, batch, i});
    bytes += encode(requests[i].type, last_number_, requests[i].transaction, requests[i].payload);
  }
  return bytes;
}

bool HostExchange::is_over(const Batch& batch) const {
  const std::lock_guard lock(mutex_);
  return batch.outstanding == 0 || ended_.has_value();
}

Result<void> HostExchange::wait(Batch& batch) {
  std::unique_lock lock(mutex_);
  batch.is_over.wait(lock, [&] { return batch.outstanding == 0 || ended_.has_value(); });
  return batch.outstanding == 0 ? Result<void>() : Unexpected(Error(*ended_));
}

Result<void> HostExchange::receive(std::span<const std::byte> bytes) {
  reader_.add(bytes);
  for (;;) {
    XL_TRY_ASSIGN(std::optional<Message> message, reader_.next());
    if (!message) {
      return {};
    }
    XL_TRY(take(std::move(*message)));
  }
}

Result<void> HostExchange::take(Message message) {
  if (message.header.type == XS_WATCH_EVENT) {
    take_event(message.payload);
    return {};
  }
  return take_reply(std::move(message));
}

Result<void> HostExchange::take_reply(Message message) {
  const std::lock_guard lock(mutex_);
  if (ended_) {
    return {};
  }
  const auto found = pending_.find(message.header.request);
  if (found == pending_.end()) {
    return breach("a reply that nobody asked for");
  }
  const Pending pending = found->second;
  if (message.header.type != pending.type && message.header.type != XS_ERROR) {
    return breach("a reply of type " + std::to_string(message.header.type) +
                  " to a request of type " + std::to_string(pending.type));
  }
  pending_.erase(found);
  if (pending.batch == nullptr) {
    return {};
  }
  Batch& batch = *pending.batch;
  batch.replies[pending.index] = message.header.type == XS_ERROR
                                     ? Reply(Unexpected(parse_errno(message.payload)))
                                     : Reply(std::move(message.payload));
  if (--batch.outstanding == 0) {
    batch.is_over.notify_one();  // with the lock held: the batch goes with its waiter
  }
  return {};
}

// [path, token]. One that is not watched any more may still be on its way.
void HostExchange::take_event(std::string_view payload) {
  PayloadReader strings(payload);
  const std::optional<std::string_view> path = strings.string();
  const std::optional<std::string_view> token = strings.string();
  if (!path || !token) {
    return;
  }
  std::shared_ptr<WatchEntry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watches_.find(std::string(*token));
    if (found != watches_.end()) {
      entry = found->second;
    }
  }
  if (entry != nullptr) {
    entry->call();
  }
}

void HostExchange::end(Error why) {
  std::vector<std::shared_ptr<WatchEntry>> watches;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      return;
    }
    ended_ = std::move(why);
    for (const auto& [number, pending] : std::exchange(pending_, {})) {
      if (pending.batch != nullptr) {
        pending.batch->is_over.notify_one();
      }
    }
    for (const auto& [token, entry] : watches_) {
      watches.push_back(entry);
    }
  }
  for (const auto& entry : watches) {
    entry->call();
  }
}

bool HostExchange::has_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_.has_value();
}

std::string HostExchange::add_watch(Changed changed) {
  auto entry = std::make_shared<WatchEntry>();
  entry->changed = std::move(changed);
  const std::lock_guard lock(mutex_);
  std::string token = "xl-" + std::to_string(++last_token_);
  watches_.emplace(token, std::move(entry));
  return token;
}

void HostExchange::remove_watch(const std::string& token) {
  std::shared_ptr<WatchEntry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watches_.find(token);
    if (found == watches_.end()) {
      return;
    }
    entry = std::move(found->second);
    watches_.erase(found);
  }
  const std::lock_guard lock(entry->mutex);
  entry->is_active = false;
}

void HostExchange::WatchEntry::call() {
  const std::lock_guard lock(mutex);
  if (is_active) {
    changed();
  }
}

}  // namespace xl::xenstore
