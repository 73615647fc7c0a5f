// SPDX-License-Identifier: Apache-2.0
// Tools at a socket: honest, slow, careless and hostile.
#include <cstring>
#include <thread>

#include "base/unique_fd.hpp"
#include "tests/xenstore/client_fixture.hpp"
#include "tests/xenstore/unix_socket.hpp"

namespace xl::xenstore {
namespace {

using fixture::Message;
using fixture::socket_at;
using fixture::strings;

// A blocking client, with a bound on its patience.
class Tool {
 public:
  explicit Tool(const std::string& path) : fd_(socket_at(path, false)) {
    const timeval patience{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void send(const std::string& bytes) {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // None once the server has closed the connection.
  std::optional<Message> receive() {
    std::string head = read(header_size);
    if (head.size() < header_size) {
      return std::nullopt;
    }
    const Header header = parse_header(std::as_bytes(std::span(head)).first<header_size>());
    return Message{header, read(header.length)};
  }
  std::string ask(std::uint32_t type, const std::string& payload) {
    send(encode(type, 1, 0, payload));
    const auto reply = receive();
    return reply ? reply->payload : "closed";
  }
  int fd() const { return fd_.get(); }

 private:
  std::string read(std::size_t wanted) {
    std::string bytes(wanted, '\0');
    std::size_t have = 0;
    while (have < wanted) {
      const ssize_t count = ::recv(fd_.get(), bytes.data() + have, wanted - have, 0);
      if (count <= 0) {
        break;
      }
      have += static_cast<std::size_t>(count);
    }
    bytes.resize(have);
    return bytes;
  }
  UniqueFd fd_;
};

class Sockets : public ::testing::Test {
 protected:
  void start(std::size_t max_clients) { served_.start(max_clients); }
  std::string path() const { return served_.path(); }

  fixture::ServedStore served_;
  Server* store_ = &served_.store();
};

TEST_F(Sockets, ReadAndWrite) {
  Tool tool(path());
  EXPECT_EQ(tool.ask(XS_WRITE, strings({"/a/b"}) + "value"), fixture::ok);
  EXPECT_EQ(Tool(path()).ask(XS_READ, strings({"/a/b"})), "value");
  EXPECT_EQ(*store_->read("/a/b"), "value");
}

TEST_F(Sockets, TellOfChangesThatOthersMake) {
  Tool tool(path());
  EXPECT_EQ(tool.ask(XS_WATCH, strings({"/a", "t"})), fixture::ok);
  EXPECT_EQ(tool.receive()->payload, strings({"/a", "t"}));
  Tool(path()).ask(XS_WRITE, strings({"/a/b"}) + "value");
  EXPECT_EQ(tool.receive()->payload, strings({"/a/b", "t"}));
  const NodeSpec node{"/a/c", "", nullptr};
  ASSERT_TRUE(store_->write(std::span(&node, 1)));
  EXPECT_EQ(tool.receive()->payload, strings({"/a/c", "t"}));
}

TEST_F(Sockets, TakeMessagesInPiecesAndManyAtOnce) {
  Tool tool(path());
  const std::string message = encode(XS_WRITE, 5, 0, strings({"/a"}) + std::string(3000, 'v'));
  for (const char c : message.substr(0, 100)) {
    tool.send(std::string(1, c));
  }
  EXPECT_EQ(Tool(path()).ask(XS_READ, strings({"/a"})), strings({"ENOENT"}));
  tool.send(message.substr(100));
  EXPECT_EQ(tool.receive()->payload, fixture::ok);
  std::string many;
  for (std::uint32_t i = 0; i < 200; ++i) {
    many += encode(XS_READ, i, 0, strings({"/a"}));
  }
  std::thread sender([&] { tool.send(many); });
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_EQ(tool.receive()->header.request, i);
  }
  sender.join();
}

TEST_F(Sockets, CloseTheConnectionOfWhoBreaksTheProtocolOnly) {
  Tool good(path());
  Tool bad(path());
  bad.send(encode(XS_READ, 7, 0, "").replace(12, 4, std::string(4, '\xff')));
  EXPECT_FALSE(bad.receive());
  {
    Tool leaves(path());
    leaves.send(encode(XS_WRITE, 7, 0, strings({"/half"}) + "x").substr(0, 20));
  }
  EXPECT_EQ(good.ask(XS_READ, strings({"/half"})), strings({"ENOENT"}));
}

TEST_F(Sockets, HoldNobodyUpForAToolThatDoesNotReadItsAnswers) {
  Tool(path()).ask(XS_WRITE, strings({"/a"}) + std::string(4000, 'v'));
  Tool slow(path());
  const std::string request = encode(XS_READ, 1, 0, strings({"/a"}));
  // Until the server stops reading, which it does as its answers are not read.
  while (::send(slow.fd(), request.data(), request.size(), MSG_DONTWAIT) ==
         static_cast<ssize_t>(request.size())) {
  }
  EXPECT_EQ(Tool(path()).ask(XS_READ, strings({"/a"})).size(), 4000U);
}

TEST_F(Sockets, EndAToolThatDoesNotFetchItsEvents) {
  Tool slow(path());
  EXPECT_EQ(slow.ask(XS_WATCH, strings({"/a", std::string(1000, 't')})), fixture::ok);
  const NodeSpec node{"/a/b", "", nullptr};
  for (int i = 0; i < 40000; ++i) {
    ASSERT_TRUE(store_->write(std::span(&node, 1)));
  }
  unsigned events = 0;
  while (slow.receive()) {
    ++events;
  }
  EXPECT_LT(events, 40000U);
}

TEST_F(Sockets, LetToolsBeyondTheLimitWaitForOthersToLeave) {
  start(2);
  auto first = std::make_unique<Tool>(path());
  EXPECT_EQ(first->ask(XS_READ, strings({"/a"})), strings({"ENOENT"}));
  Tool second(path());
  EXPECT_EQ(second.ask(XS_READ, strings({"/a"})), strings({"ENOENT"}));
  Tool third(path());
  third.send(encode(XS_READ, 1, 0, strings({"/a"})));
  char byte = 0;
  EXPECT_EQ(second.ask(XS_READ, strings({"/a"})), strings({"ENOENT"}));
  EXPECT_EQ(::recv(third.fd(), &byte, 1, MSG_DONTWAIT), -1);
  first.reset();
  EXPECT_EQ(third.receive()->payload, strings({"ENOENT"}));
}

}  // namespace
}  // namespace xl::xenstore
