// SPDX-License-Identifier: Apache-2.0
// HostExchange: what was asked of a xenstored and what is watched there: requests become bytes,
// the bytes that come back become replies for those who wait and calls of those who watch. Without
// the socket between, which is HostSocket's.
//
// Many requests of many threads are under way at once; a reply finds its request by its number.
// The bytes are untrusted. Thread rule: every function from any thread, receive() from one at a
// time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "libxl++/xenstore/message_reader.hpp"
#include "libxl++/xenstore/result.hpp"

namespace xl::xenstore {

struct HostRequest {
  std::uint32_t type = 0;  // XS_*
  std::string payload;
  std::uint32_t transaction = 0;
};

class HostExchange {
 public:
  using Reply = XsResult<std::string>;
  using Changed = std::function<void()>;

  // Requests whose replies one thread waits for. Stays where it is until wait() has returned.
  struct Batch {
    std::vector<Reply> replies;  // in the order of the requests
    std::size_t outstanding = 0;
    std::condition_variable is_over;
  };

  // The bytes to send. Without a batch nobody waits, and the replies are dropped. Errors: limit, a
  // payload too long; or as end() said.
  Result<std::string> begin(std::span<const HostRequest> requests, Batch* batch);
  // Whether wait() would return at once.
  bool is_over(const Batch& batch) const;
  // For all replies. Errors: as end() said, if it was called before the last one came.
  Result<void> wait(Batch& batch);

  // What has come. Calls those who watch, with no lock held but the watch's own. Errors: protocol;
  // nothing must be received any more.
  Result<void> receive(std::span<const std::byte> bytes);
  // There is no connection any more, and why: whoever waits or asks gets this error; who watches
  // is called for the last time. The first call counts.
  void end(Error why);
  bool has_ended() const;

  // Under the token that is returned; `changed` is called by who receives.
  std::string add_watch(Changed changed);
  // Not called any more when this returns; waits for a call in another thread to end.
  void remove_watch(const std::string& token);

 private:
  struct Pending {
    std::uint32_t type = 0;
    Batch* batch = nullptr;
    std::size_t index = 0;
  };
  struct WatchEntry {
    std::recursive_mutex mutex;  // recursive: removed inside its own call
    Changed changed;
    bool is_active = true;

    void call();
  };

  Result<void> take(Message message);
  Result<void> take_reply(Message message);
  void take_event(std::string_view payload);

  mutable std::mutex mutex_;
  std::optional<Error> ended_;
  std::uint32_t last_number_ = 0;
  std::uint64_t last_token_ = 0;
  std::unordered_map<std::uint32_t, Pending> pending_;
  std::unordered_map<std::string, std::shared_ptr<WatchEntry>> watches_;
  MessageReader reader_;  // of who receives
};

}  // namespace xl::xenstore
