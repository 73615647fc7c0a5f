// SPDX-License-Identifier: Apache-2.0
// A xenstored that goes away or sends what it should not, at the other end of a socket pair.
#include <atomic>
#include <thread>

#include "libxl++/xenstore/host_exchange.hpp"
#include "libxl++/xenstore/host_store.hpp"
#include "tests/xenstore/client_fixture.hpp"
#include "tests/xenstore/unix_socket.hpp"

namespace xl::xenstore {
namespace {

using fixture::strings;

class Peer : public ::testing::Test {
 protected:
  Peer() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    peer_.reset(ends[1]);
    host_ = HostStore::connect(UniqueFd(ends[0]));
  }
  // The number of the next request, which is taken off the socket.
  std::uint32_t next_request() {
    std::array<std::byte, header_size> head;
    EXPECT_EQ(::recv(peer_.get(), head.data(), head.size(), MSG_WAITALL),
              static_cast<ssize_t>(head.size()));
    const Header header = parse_header(head);
    std::string payload(header.length, '\0');
    EXPECT_EQ(::recv(peer_.get(), payload.data(), payload.size(), MSG_WAITALL),
              static_cast<ssize_t>(payload.size()));
    return header.request;
  }
  void send(const std::string& bytes) {
    EXPECT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What read() gives when the peer answers its request with this.
  std::string read_answered(std::uint32_t type, std::string payload, std::uint32_t skew = 0) {
    std::thread peer([&] { send(encode(type, next_request() + skew, 0, std::move(payload))); });
    const auto value = host_->read("/a");
    peer.join();
    return value ? *value : describe(value.error());
  }

  UniqueFd peer_;
  std::unique_ptr<HostStore> host_;
};

TEST_F(Peer, ThatClosesEndsAllThatWaitAndAllThatAskLater) {
  std::vector<std::thread> threads;
  std::atomic<unsigned> ended = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto value = host_->read("/a");
      EXPECT_EQ(value.error().code, ErrorCode::io);
      EXPECT_EQ(describe(value.error()), "xenstored closed the connection");
      ++ended;
    });
  }
  for (int i = 0; i < 4; ++i) {
    next_request();
  }
  EXPECT_EQ(ended, 0U);
  peer_.reset();
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::vector<NodeSpec> nodes{{"/a", "", nullptr}, {"/b", "", nullptr}};
  EXPECT_EQ(host_->write(nodes).error().code, ErrorCode::io);
  EXPECT_EQ(host_->write_unseen(nodes).error().code, ErrorCode::io);
  EXPECT_EQ(host_->list("/").error().code, ErrorCode::io);
  host_->remove_domain(DomId(1), std::vector<std::string>{"/a"});
  EXPECT_NE(host_->watch("/a", [] {}), nullptr);
}

TEST_F(Peer, ThatClosesTellsWhoWatches) {
  std::atomic<unsigned> calls = 0;
  std::thread peer([&] { send(encode(XS_WATCH, next_request(), 0, strings({"OK"}))); });
  const auto watch = host_->watch("/a", [&] { ++calls; });
  peer.join();
  EXPECT_EQ(calls, 0U);
  peer_.reset();
  EXPECT_FALSE(host_->read("/a"));
  for (int i = 0; i < 2000 && calls == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(calls, 1U);
}

TEST_F(Peer, AnswersInAnyOrderAndInPieces) {
  std::thread first([&] { EXPECT_EQ(*host_->read("/a"), "one"); });
  const std::uint32_t one = next_request();
  std::thread second([&] { EXPECT_EQ(*host_->read("/b"), "two"); });
  const std::uint32_t two = next_request();
  for (const char c : encode(XS_READ, two, 0, "two") + encode(XS_READ, one, 0, "one")) {
    send(std::string(1, c));
  }
  first.join();
  second.join();
}

TEST_F(Peer, SendsAnErrorOfNoKnownName) {
  EXPECT_EQ(read_answered(XS_ERROR, strings({"ENOSPC"})), "xenstore: reading /a: ENOSPC");
  EXPECT_EQ(read_answered(XS_ERROR, "EWHAT"), "xenstore: reading /a: EIO");
  EXPECT_EQ(read_answered(XS_ERROR, ""), "xenstore: reading /a: EIO");
  EXPECT_EQ(read_answered(XS_READ, "goes on"), "goes on");
}

TEST_F(Peer, SendsEventsThatNobodyKnows) {
  send(encode(XS_WATCH_EVENT, 0, 0, strings({"/a", "token"})));
  send(encode(XS_WATCH_EVENT, 0, 0, "no strings"));
  send(encode(XS_WATCH_EVENT, 0, 0, ""));
  EXPECT_EQ(read_answered(XS_READ, "goes on"), "goes on");
}

TEST_F(Peer, SendsAReplyOfAnotherType) {
  EXPECT_EQ(read_answered(XS_DIRECTORY, ""),
            "xenstored sent a reply of type 1 to a request of type 2");
  EXPECT_EQ(host_->read("/a").error().code, ErrorCode::protocol);
}

TEST_F(Peer, SendsAReplyToNoRequest) {
  EXPECT_EQ(read_answered(XS_READ, "", 77), "xenstored sent a reply that nobody asked for");
}

TEST_F(Peer, SendsAMessageThatIsTooLong) {
  send(encode(XS_READ, 1, 0, "").replace(12, 4, std::string(4, '\xff')));
  const auto value = host_->read("/a");
  EXPECT_EQ(describe(value.error()),
            "xenstored sent a message of 4294967295 bytes; 1048576 are the most");
}

// As oxenstored does, whatever the protocol says.
TEST_F(Peer, SendsALongListWhole) {
  std::string names;
  for (int i = 0; i < 10000; ++i) {
    names += strings({"child"});
  }
  std::thread peer([&] { send(encode(XS_DIRECTORY, next_request(), 0, names)); });
  EXPECT_EQ(host_->list("/a")->size(), 10000U);
  peer.join();
}

TEST_F(Peer, BeginsATransactionWithoutANumber) {
  std::thread peer([&] { send(encode(XS_TRANSACTION_START, next_request(), 0, "x")); });
  const std::vector<NodeSpec> nodes{{"/a", "", nullptr}, {"/b", "", nullptr}};
  EXPECT_EQ(host_->write(nodes).error().code, ErrorCode::protocol);
  peer.join();
}

TEST_F(Peer, SendsAListThatWouldNotEnd) {
  std::thread peer([&] {
    send(encode(XS_ERROR, next_request(), 0, strings({"E2BIG"})));
    send(encode(XS_DIRECTORY_PART, next_request(), 0, strings({"1"})));
  });
  EXPECT_EQ(describe(host_->list("/a").error()), "xenstore: listing /a: EIO");
  peer.join();
}

TEST_F(Peer, IsLeftWhileItDoesNotAnswer) {
  host_.reset();
  char byte = 0;
  EXPECT_EQ(::recv(peer_.get(), &byte, 1, 0), 0);
}

TEST(ListPart, IsTakenApart) {
  const auto part = parse_list_part(strings({"17", "a", "bc", ""}));
  ASSERT_TRUE(part);
  EXPECT_EQ(part->generation, "17");
  EXPECT_EQ(part->names, (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(part->size, 5U);
  EXPECT_TRUE(part->is_last);
  EXPECT_FALSE(parse_list_part(strings({"17", "a"}))->is_last);
  EXPECT_TRUE(parse_list_part(strings({"17", ""}))->is_last);
  EXPECT_FALSE(parse_list_part(""));
  EXPECT_FALSE(parse_list_part("17"));
}

}  // namespace
}  // namespace xl::xenstore
