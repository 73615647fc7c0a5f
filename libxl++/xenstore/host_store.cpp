// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/host_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "libxl++/xenstore/first_writes.hpp"
#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

// Times that a transaction is begun; others must change the same nodes in between each time.
constexpr int max_attempts = 1000;

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

ErrorCode code_of(Errno error) {
  switch (error.value) {
    case ENOENT: return ErrorCode::not_found;
    case EACCES:
    case EPERM: return ErrorCode::permission_denied;
    case EEXIST: return ErrorCode::already_exists;
    case EBUSY:
    case EAGAIN: return ErrorCode::busy;
    case E2BIG:
    case ENOSPC: return ErrorCode::limit;
    case ENOMEM: return ErrorCode::no_memory;
    case ENOSYS: return ErrorCode::not_supported;
    case EIO: return ErrorCode::io;
    default: return ErrorCode::invalid_argument;
  }
}

Error to_error(Errno error, std::string_view doing, std::string_view subject) {
  return {code_of(error), "xenstore: " + std::string(doing) + ' ' + std::string(subject) + ": " +
                              std::string(wire_name(error))};
}

std::string_view path_of(const HostRequest& request) {
  return std::string_view(request.payload).substr(0, request.payload.find('\0'));
}

// A node's parents are made by its write.
std::vector<HostRequest> write_requests(std::span<const NodeSpec> nodes) {
  std::vector<HostRequest> requests;
  requests.reserve(2 * nodes.size());
  for (const NodeSpec& node : nodes) {
    requests.push_back(write_request(node));
    if (node.permissions != nullptr) {
      requests.push_back(permissions_request(node));
    }
  }
  return requests;
}

// The first reply of write_requests() that is an error.
Result<void> check_written(std::span<const HostRequest> requests,
                           std::span<const HostConnection::Reply> replies) {
  const auto refused = std::find_if(replies.begin(), replies.end(),
                                    [](const HostConnection::Reply& reply) { return !reply; });
  if (refused == replies.end()) {
    return {};
  }
  const HostRequest& request = requests[static_cast<std::size_t>(refused - replies.begin())];
  return Unexpected(to_error(refused->error(),
                             request.type == XS_WRITE ? "writing" : "setting the permissions of",
                             path_of(request)));
}

}  // namespace

class HostStore::Watch final : public NodeWatch {
 public:
  Watch(HostConnection& connection, std::string_view path, std::function<void()> changed)
      : connection_(connection),
        path_(path),
        token_(connection.exchange().add_watch(std::move(changed))) {
    const auto reply = connection_.ask({XS_WATCH, strings({path_, token_})});
    if (!reply || !*reply) {
      spdlog::warn("a change will not be noticed: {}",
                   describe(reply ? to_error(reply->error(), "watching", path_) : reply.error()));
    }
  }
  ~Watch() override {
    connection_.exchange().remove_watch(token_);
    connection_.tell({XS_UNWATCH, strings({path_, token_})});
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void drain() override {}  // none is kept

 private:
  HostConnection& connection_;
  const std::string path_;
  const std::string token_;
};

Result<std::unique_ptr<HostStore>> HostStore::connect(const std::string& path) {
  XL_TRY_ASSIGN(UniqueFd socket, HostSocket::open(path));
  return std::unique_ptr<HostStore>(new HostStore(std::move(socket), path));
}

std::unique_ptr<HostStore> HostStore::connect(UniqueFd socket) {
  return std::unique_ptr<HostStore>(new HostStore(std::move(socket)));
}

Result<std::string> HostStore::ask(std::uint32_t type, std::string payload, std::string_view doing,
                                   std::string_view subject) {
  XL_TRY_ASSIGN(HostConnection::Reply reply, connection_.ask({type, std::move(payload)}));
  if (!reply) {
    return Unexpected(to_error(reply.error(), doing, subject));
  }
  return std::move(reply).value();
}

// --- nodes ---

Result<void> HostStore::write(std::span<const NodeSpec> nodes) {
  return write_all(write_requests(nodes));
}

Result<void> HostStore::write_unseen(std::span<const NodeSpec> nodes) {
  const std::lock_guard lock(lanes_use_);
  const std::size_t lanes = open_lanes();
  if (lanes == 0) {
    return write(nodes);
  }
  const FirstWrites writes = first_writes(nodes);
  XL_TRY(write_by_lanes(share_directories(writes.directories, lanes)));
  return write_by_lanes(share_leaves(writes.leaves, lanes));
}

// xenstored takes one request of each connection at a turn, and a turn costs it as much as several
// requests.
std::size_t HostStore::open_lanes() {
  constexpr std::size_t most_lanes = 16;
  while (!path_.empty() && lanes_.size() < most_lanes) {
    auto socket = HostSocket::open(path_);
    if (!socket) {
      break;  // of fewer it takes a little longer
    }
    lanes_.push_back(std::make_unique<HostSocket>(std::move(socket).value()));
  }
  return lanes_.size();
}

// Of each share. Without lanes they go over the one connection there is.
std::vector<HostStore::Replies> HostStore::ask_by_lanes(
    std::span<const std::vector<HostRequest>> shares) {
  std::vector<Replies> replies;
  replies.reserve(shares.size());
  if (lanes_.empty()) {
    std::transform(shares.begin(), shares.end(), std::back_inserter(replies),
                   [this](const auto& share) { return connection_.ask(share); });
    return replies;
  }
  std::vector<HostExchange::Batch> batches(shares.size());
  std::vector<Result<void>> started;
  for (std::size_t lane = 0; lane < shares.size(); ++lane) {
    started.push_back(lanes_[lane]->start(shares[lane], batches[lane]));
  }
  for (std::size_t lane = 0; lane < shares.size(); ++lane) {
    replies.push_back(started[lane] ? lanes_[lane]->finish(batches[lane])
                                    : Unexpected(std::move(started[lane]).error()));
  }
  return replies;
}

Result<void> HostStore::write_by_lanes(std::span<const std::vector<HostRequest>> shares) {
  const std::vector<Replies> replies = ask_by_lanes(shares);
  for (std::size_t lane = 0; lane < shares.size(); ++lane) {
    XL_TRY(replies[lane] ? check_written(shares[lane], *replies[lane])
                         : Unexpected(Error(replies[lane].error())));
  }
  return {};
}

Result<void> HostStore::write_all(std::vector<HostRequest> requests) {
  if (requests.size() <= 1) {
    XL_TRY_ASSIGN(const auto replies, connection_.ask(requests));
    return check_written(requests, replies);
  }
  const std::lock_guard lock(transaction_);
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    XL_TRY_ASSIGN(const Verdict verdict, try_write(requests));
    if (verdict == Verdict::committed) {
      return {};
    }
  }
  return Unexpected(to_error({EAGAIN}, "writing", path_of(requests.front())));
}

// Three rounds: whether to commit is known only when all writes are answered.
Result<HostStore::Verdict> HostStore::try_write(std::span<HostRequest> requests) {
  XL_TRY_ASSIGN(const std::string started,
                ask(XS_TRANSACTION_START, strings({""}), "beginning", "a transaction"));
  const auto transaction = PayloadReader(started).number();
  if (!transaction) {
    return fail(ErrorCode::protocol, "xenstored began a transaction without a number");
  }
  for (HostRequest& request : requests) {
    request.transaction = *transaction;
  }
  auto replies = connection_.ask(requests);
  const Result<void> written =
      replies ? check_written(requests, *replies) : Unexpected(std::move(replies).error());
  XL_TRY_ASSIGN(
      const HostConnection::Reply ended,
      connection_.ask({XS_TRANSACTION_END, strings({written ? "T" : "F"}), *transaction}));
  XL_TRY(written);
  if (!ended && ended.error() == Errno{EAGAIN}) {
    return Verdict::conflict;
  }
  if (!ended) {
    return Unexpected(to_error(ended.error(), "ending", "a transaction"));
  }
  return Verdict::committed;
}

Result<std::string> HostStore::read(std::string_view path) {
  return ask(XS_READ, strings({path}), "reading", path);
}

Result<std::vector<std::string>> HostStore::list(std::string_view path) {
  XL_TRY_ASSIGN(const HostConnection::Reply whole,
                connection_.ask({XS_DIRECTORY, strings({path})}));
  if (whole) {
    return parse_strings(*whole);
  }
  if (whole.error() != Errno{E2BIG}) {
    return Unexpected(to_error(whole.error(), "listing", path));
  }
  return list_in_parts(path);
}

// A list that changes between its parts is begun again.
Result<std::vector<std::string>> HostStore::list_in_parts(std::string_view path) {
  std::vector<std::string> names;
  std::string generation;
  std::uint32_t offset = 0;
  for (;;) {
    XL_TRY_ASSIGN(const std::string payload,
                  ask(XS_DIRECTORY_PART, strings({path, number(offset)}), "listing", path));
    auto part = parse_list_part(payload);
    if (!part) {
      return Unexpected(to_error(part.error(), "listing", path));
    }
    if (offset != 0 && part->generation != generation) {
      names.clear();
      offset = 0;
      continue;
    }
    generation = std::move(part->generation);
    offset += part->size;
    std::move(part->names.begin(), part->names.end(), std::back_inserter(names));
    if (part->is_last) {
      return names;
    }
  }
}

bool HostStore::may_be_watched(DomId /*domain*/, std::string_view /*path*/) {
  return true;
}

void HostStore::remove_domain(DomId domain, std::span<const std::string> paths) {
  const std::lock_guard lock(lanes_use_);
  std::vector<std::vector<HostRequest>> shares(std::max<std::size_t>(open_lanes(), 1));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    shares[i % shares.size()].push_back({XS_RM, strings({paths[i]})});
  }
  const std::vector<Replies> replies = ask_by_lanes(shares);
  for (std::size_t lane = 0; lane < shares.size(); ++lane) {
    if (!replies[lane]) {
      spdlog::error("xenstore nodes of domain {} stay: {}", domain.value(),
                    describe(replies[lane].error()));
      continue;
    }
    for (std::size_t i = 0; i < shares[lane].size(); ++i) {
      if (const auto& reply = (*replies[lane])[i]; !reply && reply.error() != Errno{ENOENT}) {
        spdlog::error("{}",
                      describe(to_error(reply.error(), "removing", path_of(shares[lane][i]))));
      }
    }
  }
}

void HostStore::domain_shut_down(DomId /*domain*/) {}

std::unique_ptr<NodeWatch> HostStore::watch(std::string_view path, std::function<void()> changed) {
  return std::make_unique<Watch>(connection_, path, std::move(changed));
}

// --- domains ---

Result<void> HostStore::introduce(DomId domain, Gfn ring, EventPort port) {
  XL_TRY(ask(XS_INTRODUCE,
             strings({number(domain.value()), number(ring.value()), number(port.value())}),
             "introducing domain", number(domain.value())));
  return {};
}

}  // namespace xl::xenstore
