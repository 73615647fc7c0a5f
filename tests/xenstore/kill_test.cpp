// SPDX-License-Identifier: Apache-2.0
// A real process that serves a ring in shared memory and is killed, over and over, while a guest
// works: each request gets one answer, and what was acknowledged stays.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "base/scope_exit.hpp"
#include "libxl++/xenstore/ring.hpp"
#include "libxl++/xenstore/server.hpp"
#include "tests/xenstore/ring_guest.hpp"

namespace xl::xenstore {
namespace {

using fixture::RingGuest;
using fixture::strings;

constexpr DomId guest_id(1);
constexpr int kills = 150;

// The process that is killed: serves the page as a daemon does, until then.
[[noreturn]] void serve(const std::string& directory, void* page) {
  auto server = Server::open(directory);
  if (!server) {
    ::_exit(1);
  }
  auto client = (*server)->unclaimed().empty() ? (*server)->introduce(guest_id, {})
                                               : (*server)->adopt(guest_id, {});
  if (!client) {
    ::_exit(2);
  }
  Ring ring({static_cast<std::byte*>(page), 4096}, (*client)->position());
  for (;;) {
    if (!ring.pump(**client).more) {
      std::this_thread::yield();
    }
  }
}

class Killed : public ::testing::Test {
 protected:
  Killed() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-store-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    auto server = Server::open(directory_);
    const NodeSpec home{"/local/domain/1", "",
                        std::make_shared<const Permissions>(Permissions{{guest_id, Access::none}})};
    EXPECT_TRUE((*server)->write(std::span(&home, 1)));
  }
  ~Killed() override {
    kill();
    ::munmap(page_, 4096);
    std::filesystem::remove_all(directory_);
  }
  void start() {
    server_ = ::fork();
    if (server_ == 0) {
      serve(directory_, page_);
    }
  }
  void kill() {
    if (server_ > 0) {
      ::kill(server_, SIGKILL);
      int status = 0;
      ::waitpid(server_, &status, 0);
      EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself, status " << status;
      server_ = 0;
    }
  }

  std::string directory_;
  void* page_ = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t server_ = 0;
};

TEST_F(Killed, AtRandomTimesAnswersEachRequestOnce) {
  using Clock = std::chrono::steady_clock;
  std::mt19937 random(11);
  RingGuest guest(page_);
  std::string to_send = encode(XS_WATCH, 0, 0, strings({"n", "t"}));
  std::uint32_t sent = 0, answered = 0, events = 0;
  std::string value;
  for (int round = 0; round < kills; ++round) {
    start();
    const auto end = Clock::now() + std::chrono::microseconds(random() % 4000);
    while (Clock::now() < end || round + 1 == kills) {
      if (to_send.size() < 200) {
        ++sent;
        value = std::to_string(sent) + std::string(random() % 8 == 0 ? 1500 : 0, 'v');
        to_send += encode(XS_WRITE, sent, 0, strings({"n"}) + value);
      }
      guest.send(to_send);
      guest.fetch();
      while (const auto message = guest.next()) {
        if (message->header.type == XS_WATCH_EVENT) {
          ++events;
        } else if (message->header.type == XS_WRITE) {
          ASSERT_EQ(message->header.request, ++answered);
          ASSERT_EQ(message->payload, fixture::ok);
        } else {
          ASSERT_EQ(message->header.type, std::uint32_t{XS_WATCH});
        }
      }
      if (round + 1 == kills && answered + 2 > sent) {
        break;
      }
    }
    kill();
  }
  EXPECT_GE(answered, 200U) << "the servers never came to work";
  EXPECT_GE(events, answered) << "an event for each write that was answered, and the watch's first";
  auto server = Server::open(directory_);
  ASSERT_TRUE(server);
  const auto last = std::stoul(*(*server)->read("/local/domain/1/n"));
  EXPECT_GE(last, answered);
  EXPECT_LE(last, sent);
}

}  // namespace
}  // namespace xl::xenstore
