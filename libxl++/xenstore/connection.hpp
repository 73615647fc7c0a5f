// SPDX-License-Identifier: Apache-2.0
// Connection: the protocol engine of one client, bytes in and bytes out. What transports them (a
// guest's ring, a socket) is not its business. The input is untrusted: any bytes, cut anywhere.
//
// Memory is bounded: one message of input, a few replies (no further request is taken before they
// are fetched) and Limits::pending_events events. Thread rule: the Server's lock. The store
// outlives the connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/xenstore/operations.hpp"
#include "libxl++/xenstore/permissions.hpp"
#include "libxl++/xenstore/record.hpp"
#include "libxl++/xenstore/result.hpp"
#include "libxl++/xenstore/transaction.hpp"
#include "libxl++/xenstore/watches.hpp"
#include "libxl++/xenstore/wire.hpp"

namespace xl::xenstore {

class Recorder;
class Store;

class Connection {
 public:
  // `event_queued` is called when an event comes that no request of this connection's own has
  // caused. It must be quick and must not call the store.
  Connection(Store& store, Caller caller, std::function<void()> event_queued);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  const Caller& caller() const { return caller_; }
  void set_target(DomId target);
  // As of the constructor.
  void set_event_queued(std::function<void()> callback) { event_queued_ = std::move(callback); }

  // Takes bytes from the client and answers the messages that are complete. Returns how many bytes
  // it took: fewer than offered when the replies must be fetched first, none once broken().
  std::size_t receive(std::span<const std::byte> bytes);
  // Moves bytes for the client into `room`; returns how many.
  std::size_t send(std::span<std::byte> room);
  bool has_output() const { return !output_.empty(); }
  // Else receive() takes nothing until replies have been sent.
  bool may_take_request() const { return !broken_ && replies_queued_ < max_replies_queued; }
  // The client broke the protocol (a payload too long), or was released. Nothing is taken any more.
  bool broken() const { return broken_; }
  void break_off();

  // As new: no watches, transactions, input or output.
  void reset();

  void queue_event(const Watch& watch, std::string_view path);

  // --- a guest's connection, which outlives the process; connection_record.cpp ---
  // From now on every change is recorded; until forget().
  void keep() { kept_ = true; }
  void forget();
  // Whether the guest is served (RELEASE ends that).
  bool introduced() const { return introduced_; }
  void set_introduced(bool introduced);
  // What the guest's ring shows when this turn is over. None before the first.
  const std::optional<RingPosition>& position() const { return position_; }
  void set_position(const RingPosition& position);
  // What has moved since the last record.
  void record_step(Recorder& recorder);
  // All there is, in a form that makes an equal of a new connection.
  void record_all(Recorder& recorder) const;
  // From what was recorded. False: it makes no sense.
  [[nodiscard]] bool restore_step(const Step& step);
  void restore_watch(std::string path, std::string token, std::size_t relative_prefix,
                     std::optional<std::uint32_t> depth);
  [[nodiscard]] bool restore_unwatch(std::string_view path, std::string_view token);
  void restore_reset_watches();
  void restore_transaction(std::uint32_t id);
  void restore_transaction_end(std::uint32_t id) { transactions_.erase(id); }

 private:
  struct OpenTransaction {
    explicit OpenTransaction(Tree& tree) : view(tree) {}
    Transaction view;
    std::vector<Change> changes;
    bool is_stale = false;  // what it saw and did is not known any more: it cannot be committed
  };
  struct Request {
    Header header;
    PayloadReader payload;
    std::vector<Change> changes;         // to fire once the reply is queued
    const Watch* first_event = nullptr;  // a watch that was just set fires once
    OpenTransaction* transaction = nullptr;
  };
  struct Output {
    std::string bytes;
    bool is_event = false;
    bool is_recorded = false;
  };
  using Reply = XsResult<std::string>;

  void process_message();
  void queue_reply(const Header& header, Reply reply);
  void note_limits();
  const Limits& limits() const;

  // requests.cpp
  Reply dispatch(Request& request);
  Reply dispatch_node(Request& request);
  Operation operation(Request& request);
  XsResult<std::string> path_argument(Request& request, bool allow_special = false);
  Reply read_node(Request& request);
  Reply write_node(Request& request);
  Reply list_node(Request& request);
  Reply list_node_part(Request& request);
  Reply get_node_permissions(Request& request);
  Reply set_node_permissions(Request& request);
  // client_requests.cpp
  Reply add_watch(Request& request);
  Reply remove_watch(Request& request);
  Reply reset_watches();
  Reply start_transaction(Request& request);
  Reply end_transaction(Request& request);
  Reply domain_request(Request& request);
  Reply domain_zero_request(Request& request, DomId domain);
  // admin_requests.cpp
  Reply get_quota(Request& request);
  Reply set_quota(Request& request);
  Reply get_feature(Request& request);
  Reply set_feature(Request& request);
  Reply control(Request& request);

  void drop_watches();
  std::vector<std::unique_ptr<Watch>>::iterator find_watch(std::string_view path,
                                                           std::string_view token);
  // Takes bytes off the output, which has as many.
  void drop_output(std::size_t count);
  void moved();

  static constexpr std::size_t max_replies_queued = 2;

  Store& store_;
  Caller caller_;
  std::function<void()> event_queued_;
  std::string input_;  // at most one message
  std::deque<Output> output_;
  std::size_t output_sent_ = 0;  // bytes of output_.front() that are gone already
  std::size_t replies_queued_ = 0;
  std::size_t events_queued_ = 0;
  std::uint64_t limit_hits_logged_ = 0;
  std::uint64_t breaches_ = 0;  // of the protocol
  bool in_request_ = false;
  bool broken_ = false;
  bool kept_ = false;
  bool has_moved_ = false;  // since the last record
  bool introduced_ = true;
  std::uint64_t recorded_sent_ = 0;  // bytes of recorded output that went since the last record
  std::optional<RingPosition> position_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::map<std::uint32_t, OpenTransaction> transactions_;
  std::uint32_t next_transaction_ = 1;
};

}  // namespace xl::xenstore
