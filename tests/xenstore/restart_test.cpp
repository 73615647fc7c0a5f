// SPDX-License-Identifier: Apache-2.0
// A server that goes at any moment of its work, and its successor from the journal.
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "libxl++/xenstore/ring.hpp"
#include "libxl++/xenstore/server.hpp"
#include "tests/xenstore/client_fixture.hpp"
#include "tests/xenstore/ring_guest.hpp"

namespace xl::xenstore {
namespace {

using fixture::RingGuest;
using fixture::strings;

constexpr DomId guest_id(1);

class Restart : public ::testing::Test {
 protected:
  Restart() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-store-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    start();
    const auto own = std::make_shared<const Permissions>(Permissions{{guest_id, Access::none}});
    write("/local/domain/1", "", own);
    write("/tool/note", "kept");
  }
  ~Restart() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    server_ = *Server::open(directory_);
    const bool is_known = !server_->unclaimed().empty();
    client_ = is_known ? *server_->adopt(guest_id, {}) : *server_->introduce(guest_id, {});
    ring_.emplace(std::span(page_), client_->position());
  }
  void stop() {
    ring_.reset();
    client_.reset();
    server_.reset();
  }
  void restart() {
    stop();
    start();
  }
  void write(std::string path, std::string value, PermissionsRef permissions = nullptr) {
    const NodeSpec node{std::move(path), std::move(value), std::move(permissions)};
    ASSERT_TRUE(server_->write(std::span(&node, 1)));
  }
  std::string journal() const { return directory_ + "/xenstore.journal"; }
  std::uintmax_t journal_size() const { return std::filesystem::file_size(journal()); }
  void pump() {
    while (ring_->pump(*client_).more) {
    }
  }
  // Sends, and returns the reply's payload; events that come first are dropped.
  std::string ask(std::uint32_t type, const std::string& payload, std::uint32_t transaction = 0) {
    std::string message = encode(type, ++request_, transaction, payload);
    for (int turn = 0; turn < 100; ++turn) {
      guest_.send(message);
      pump();
      guest_.fetch();
      while (const auto answer = guest_.next()) {
        if (answer->header.type != XS_WATCH_EVENT) {
          EXPECT_EQ(answer->header.request, request_);
          return answer->payload;
        }
      }
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  std::string directory_;
  alignas(4096) std::array<std::byte, 4096> page_{};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
  std::optional<Ring> ring_;
  RingGuest guest_{page_.data()};
  std::uint32_t request_ = 0;
};

TEST_F(Restart, KeepsNodesPermissionsAndGenerations) {
  ask(XS_WRITE, strings({"a/b"}) + "value");
  ask(XS_SET_PERMS, strings({"a/b", "n1", "r7"}));
  ask(XS_WRITE, strings({"gone"}) + "x");
  ask(XS_RM, strings({"gone"}));
  const std::string list = ask(XS_DIRECTORY_PART, strings({"a", "0"}));
  const std::uint64_t nodes = server_->size();
  restart();
  EXPECT_EQ(ask(XS_READ, strings({"a/b"})), "value");
  EXPECT_EQ(ask(XS_GET_PERMS, strings({"a/b"})), strings({"n1", "r7"}));
  EXPECT_EQ(ask(XS_READ, strings({"gone"})), strings({"ENOENT"}));
  EXPECT_EQ(ask(XS_DIRECTORY_PART, strings({"a", "0"})), list) << "same list, same generation";
  EXPECT_EQ(server_->size(), nodes);
  EXPECT_EQ(*server_->read("/tool/note"), "kept");
  ask(XS_WRITE, strings({"a/c"}) + "");
  EXPECT_NE(ask(XS_DIRECTORY_PART, strings({"a", "0"})).substr(0, list.find('\0')),
            list.substr(0, list.find('\0')));
}

TEST_F(Restart, KeepsWatchesAndEventsThatWereNotFetched) {
  ask(XS_WATCH, strings({"data", "token", "1"}));
  guest_.fetch();
  while (guest_.next()) {
  }
  write("/local/domain/1/data/x", "1");
  write("/local/domain/1/data/x/deep", "1");
  restart();
  write("/local/domain/1/data/y", "2");
  EXPECT_TRUE(ring_->pump(*client_).notify);
  guest_.fetch();
  EXPECT_EQ(guest_.next()->payload, strings({"data/x", "token"}));
  EXPECT_EQ(guest_.next()->payload, strings({"data/y", "token"}));
  EXPECT_FALSE(guest_.next());
  ask(XS_UNWATCH, strings({"data", "token"}));
  restart();
  EXPECT_EQ(ask(XS_UNWATCH, strings({"data", "token"})), strings({"ENOENT"}));
}

TEST_F(Restart, TellsTheGuestOnceInAnyCase) {
  restart();
  EXPECT_FALSE(ring_->pump(*client_).notify) << "it had not begun";
  ask(XS_READ, strings({"a"}));
  restart();
  EXPECT_TRUE(ring_->pump(*client_).notify);
  EXPECT_FALSE(ring_->pump(*client_).notify);
}

TEST_F(Restart, EndsTransactionsWithTryAgain) {
  const std::string id = ask(XS_TRANSACTION_START, strings({""}));
  const auto transaction = static_cast<std::uint32_t>(std::stoul(id));
  ask(XS_WRITE, strings({"in"}) + "x", transaction);
  restart();
  EXPECT_EQ(ask(XS_WRITE, strings({"in2"}) + "x", transaction), fixture::ok);
  EXPECT_EQ(ask(XS_TRANSACTION_END, strings({"T"}), transaction), strings({"EAGAIN"}));
  EXPECT_EQ(ask(XS_READ, strings({"in2"})), strings({"ENOENT"}));
  EXPECT_NE(ask(XS_TRANSACTION_START, strings({""})), id);
}

TEST_F(Restart, KnowsNothingOfWhatWasReleased) {
  ask(XS_WATCH, strings({"data", "token"}));
  server_->release(guest_id);
  stop();
  server_ = *Server::open(directory_);
  EXPECT_TRUE(server_->unclaimed().empty());
  EXPECT_EQ(server_->adopt(guest_id, {}).error().code, ErrorCode::not_found);
  EXPECT_TRUE(server_->introduce(guest_id, {}));
}

TEST_F(Restart, ReadsARewrittenJournalToo) {
  ask(XS_WATCH, strings({"data", "token"}));
  ask(XS_WRITE, strings({"first"}) + "1");
  const std::string list = ask(XS_DIRECTORY_PART, strings({"/local/domain/1", "0"}));
  const std::string filler(1000, 'f');
  std::uintmax_t largest = 0;
  for (int i = 0; i < 4000; ++i) {
    write("/tool/filler", filler);
    largest = std::max(largest, journal_size());
  }
  EXPECT_LT(journal_size(), largest) << "never rewritten";
  EXPECT_LT(largest, std::uintmax_t{2} << 20);
  restart();
  EXPECT_EQ(ask(XS_DIRECTORY_PART, strings({"/local/domain/1", "0"})), list)
      << "same list, same generation";
  EXPECT_EQ(ask(XS_READ, strings({"first"})), "1");
  EXPECT_EQ(*server_->read("/tool/filler"), filler);
  EXPECT_EQ(ask(XS_WATCH, strings({"data", "token"})), strings({"EEXIST"}));
}

TEST_F(Restart, PutsADamagedJournalAside) {
  ask(XS_WRITE, strings({"first"}) + "1");
  stop();
  std::ofstream(journal(), std::ios::trunc) << "no journal at all";
  server_ = *Server::open(directory_);
  EXPECT_TRUE(std::filesystem::exists(journal() + ".damaged"));
  EXPECT_EQ(server_->size(), 1U);
}

// Each turn of the ring has three moments at which the server can go: before the journal has it
// (and with any part of the record written), before the guest sees it, and after.
TEST_F(Restart, AtAnyMomentOfATurnAnswersEachRequestOnce) {
  std::mt19937 random(7);
  ask(XS_WATCH, strings({"n", "t"}));
  std::string to_send;
  std::vector<std::string> expected;
  std::vector<std::string> got;
  const auto turn = [&](bool crash) {
    guest_.send(to_send);
    const auto before = page_;
    const std::uintmax_t journal_before = journal_size();
    ring_->pump(*client_);
    if (crash) {
      const std::uintmax_t journal_after = journal_size();
      stop();
      const auto moment = random() % 3;
      if (moment < 2) {  // the guest saw nothing of it
        const auto& old = *reinterpret_cast<const xenstore_domain_interface*>(before.data());
        guest_.page().req_cons = old.req_cons;
        guest_.page().rsp_prod = old.rsp_prod;
      }
      if (moment == 0 && journal_after > journal_before) {
        std::filesystem::resize_file(journal(),
                                     journal_before + random() % (journal_after - journal_before));
      }
      start();
    }
    guest_.fetch(1 + random() % XENSTORE_RING_SIZE);
    while (const auto message = guest_.next()) {
      got.push_back(std::to_string(message->header.type) + ' ' +
                    std::to_string(message->header.request) + ' ' + message->payload);
    }
  };
  for (std::uint32_t request = 1; request <= 300; ++request) {
    std::string value = std::to_string(request);
    value.resize(random() % 4 == 0 ? 1 + random() % 2000 : value.size(), 'v');
    to_send += encode(XS_WRITE, request, 0, strings({"n"}) + value);
    to_send += encode(XS_READ, request, 0, strings({"n"}));
    expected.push_back(std::to_string(XS_WRITE) + ' ' + std::to_string(request) + ' ' +
                       fixture::ok);
    expected.push_back(std::to_string(XS_WATCH_EVENT) + " 0 " + strings({"n", "t"}));
    expected.push_back(std::to_string(XS_READ) + ' ' + std::to_string(request) + ' ' + value);
    turn(random() % 2 == 0);
  }
  for (int i = 0; i < 10000 && got.size() < expected.size() + 1; ++i) {
    turn(i % 4 == 0);
  }
  ASSERT_FALSE(got.empty());
  got.erase(got.begin());  // the watch's first event
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace xl::xenstore
