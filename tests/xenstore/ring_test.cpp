// SPDX-License-Identifier: Apache-2.0
// The ring with the test as the guest: honest, slow, and hostile.
#include "libxl++/xenstore/ring.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <semaphore>
#include <thread>

#include "libxl++/xenstore/server.hpp"
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore {
namespace {

using fixture::strings;

class RingOf : public ::testing::Test {
 protected:
  RingOf() {
    const auto permissions =
        std::make_shared<const Permissions>(Permissions{{DomId(1), Access::none}});
    const NodeSpec data{"/local/domain/1/data", "hello", permissions};
    EXPECT_TRUE(server_.write(std::span(&data, 1)));
    client_ = *server_.introduce(DomId(1), {});
    ring_.emplace(std::span(page_));
  }

  xenstore_domain_interface& page() {
    return *reinterpret_cast<xenstore_domain_interface*>(page_.data());
  }
  void send(const std::string& bytes) {
    for (const char c : bytes) {
      page().req[MASK_XENSTORE_IDX(page().req_prod++)] = c;
    }
  }
  std::string receive() {
    std::string bytes;
    while (page().rsp_cons != page().rsp_prod) {
      bytes += page().rsp[MASK_XENSTORE_IDX(page().rsp_cons++)];
    }
    return bytes;
  }
  Ring::Progress pump() { return ring_->pump(*client_); }

  alignas(4096) std::array<std::byte, 4096> page_{};
  Server server_;
  std::unique_ptr<Client> client_;
  std::optional<Ring> ring_;
};

TEST_F(RingOf, AnswersAndNotifies) {
  EXPECT_FALSE(pump().notify);
  send(encode(XS_READ, 7, 0, strings({"data"})));
  EXPECT_TRUE(pump().notify);
  EXPECT_EQ(receive(), encode(XS_READ, 7, 0, "hello"));
  EXPECT_FALSE(pump().notify);
}

TEST_F(RingOf, CarriesMessagesLargerThanItself) {
  const std::string value(2000, 'v');
  std::string message = encode(XS_WRITE, 1, 0, strings({"data"}) + value);
  std::string answers;
  message += encode(XS_READ, 2, 0, strings({"data"}));
  for (std::size_t at = 0; at < message.size(); at += 500) {
    send(message.substr(at, 500));
    pump();
    answers += receive();
  }
  pump();
  answers += receive();
  pump();
  answers += receive();
  EXPECT_EQ(answers, encode(XS_WRITE, 1, 0, strings({"OK"})) + encode(XS_READ, 2, 0, value));
}

TEST_F(RingOf, WrapsItsIndexes) {
  page().req_cons = page().req_prod = page().rsp_cons = page().rsp_prod = 0xfffffff0;
  ring_.emplace(std::span(page_));
  for (int i = 0; i < 100; ++i) {
    send(encode(XS_READ, 7, 0, strings({"data"})));
    pump();
    ASSERT_EQ(receive(), encode(XS_READ, 7, 0, "hello"));
  }
}

TEST_F(RingOf, NotifiesAGuestThatFilledIt) {
  const std::string message = encode(XS_WRITE, 1, 0, strings({"data"}) + std::string(1500, 'x'));
  send(message.substr(0, XENSTORE_RING_SIZE));
  EXPECT_TRUE(pump().notify) << "there is no answer yet, but room";
}

// Linux's xb_write tells the server only if all that it wrote before was taken, as far as it sees,
// and a message's header and body are two writes.
TEST_F(RingOf, LosesNoRequestOfAGuestThatNotifiesAsLittleAsLinuxDoes) {
  constexpr int rounds = 20'000;
  std::counting_semaphore<> rung{0};
  std::atomic<bool> over{false};
  std::thread server([&] {
    while (!over) {
      if (rung.try_acquire_for(std::chrono::milliseconds(20))) {
        while (pump().more) {
        }
      }
    }
  });
  const auto word = [](std::uint32_t& at) { return std::atomic_ref<std::uint32_t>(at); };
  const auto write = [&](std::string_view bytes) {
    const std::uint32_t before = page().req_prod;
    std::uint32_t at = before;
    for (const char c : bytes) {
      page().req[MASK_XENSTORE_IDX(at++)] = c;
    }
    word(page().req_prod).store(at);
    if (before <= word(page().req_cons).load()) {
      rung.release();
    }
  };
  const std::string message = encode(XS_READ, 7, 0, strings({"data"}));
  const std::string answer = encode(XS_READ, 7, 0, "hello");
  int answered = 0;
  for (; answered < rounds; ++answered) {
    write(std::string_view(message).substr(0, header_size));
    write(std::string_view(message).substr(header_size));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    const std::uint32_t wanted = page().rsp_cons + static_cast<std::uint32_t>(answer.size());
    while (word(page().rsp_prod).load() != wanted && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    if (receive() != answer) {
      break;
    }
  }
  over = true;
  server.join();
  EXPECT_EQ(answered, rounds) << "a request was not seen";
}

TEST_F(RingOf, WithABadIndexIsDeadUntilTheGuestReconnects) {
  page().req_prod = page().req_cons + XENSTORE_RING_SIZE + 1;
  EXPECT_TRUE(pump().notify);
  EXPECT_EQ(page().error, std::uint32_t{XENSTORE_ERROR_RINGIDX});
  page().req_prod = page().req_cons;
  send(encode(XS_READ, 7, 0, strings({"data"})));
  EXPECT_FALSE(pump().more);
  EXPECT_EQ(receive(), "");
  page().connection = XENSTORE_RECONNECT;
  pump();
  EXPECT_EQ(page().connection, std::uint32_t{XENSTORE_CONNECTED});
  EXPECT_EQ(page().error, std::uint32_t{XENSTORE_ERROR_NONE});
  send(encode(XS_READ, 7, 0, strings({"data"})));
  pump();
  EXPECT_EQ(receive(), encode(XS_READ, 7, 0, "hello"));
}

TEST_F(RingOf, SaysWhenTheProtocolIsBroken) {
  send(encode(XS_READ, 7, 0, "").replace(12, 4, std::string(4, '\xff')));
  EXPECT_TRUE(pump().notify);
  EXPECT_EQ(page().error, std::uint32_t{XENSTORE_ERROR_PROTO});
}

TEST_F(RingOf, DoesABoundedAmountOfWorkWhateverThePageHolds) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::size_t field = sizeof(page().req) + sizeof(page().rsp) + 4 * (random() % 7);
    const auto value = static_cast<std::uint32_t>(random() % 3 == 0 ? random() : random() % 2048);
    std::memcpy(page_.data() + field, &value, sizeof value);
    page().req[random() % XENSTORE_RING_SIZE] = static_cast<char>(random());
    pump();
  }
  EXPECT_LE(server_.size(), 1100U);
}

TEST(ServerOf, IntroducesOnceAndRemovesWhatWasADomains) {
  Server server;
  auto client = server.introduce(DomId(1), {});
  ASSERT_TRUE(client);
  EXPECT_EQ(server.introduce(DomId(1), {}).error().code, ErrorCode::already_exists);
  const std::uint64_t before = server.size();
  const NodeSpec node{"/local/domain/1/name", "guest", nullptr};
  ASSERT_TRUE(server.write(std::span(&node, 1)));
  EXPECT_EQ(*server.read("/local/domain/1/name"), "guest");
  const std::vector<std::string> directories{"/local", "/nothing"};
  server.release(DomId(1));
  server.remove_domain(DomId(1), directories);
  EXPECT_EQ(server.size(), before);
  EXPECT_EQ(server.read("/local/domain/1/name").error().code, ErrorCode::not_found);
  const NodeSpec bad{"no/absolute path", "", nullptr};
  EXPECT_EQ(server.write(std::span(&bad, 1)).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace xl::xenstore
