// SPDX-License-Identifier: Apache-2.0
// A daemon that is killed at each step of what it does to a domain: the next one finds the domain
// whole or not at all, and nothing stays of what is not there.
#include <atomic>
#include <filesystem>
#include <thread>

#include "libxl++/xenstore/server.hpp"
#include "tests/toolstack/mortal_hypervisor.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using hv::fake::Fate;
using hv::fake::MortalHypervisor;
using hv::fake::Usage;

class Killed : public ToolstackTest {
 protected:
  Killed() {
    wrap_ = [this](std::unique_ptr<hv::Hypervisor> behind) -> std::unique_ptr<hv::Hypervisor> {
      fate_ = std::make_shared<Fate>();
      return std::make_unique<MortalHypervisor>(std::move(behind), fate_);
    };
    // The one that is dead goes on for a while, as its threads cannot be killed here.
    const auto start = options_.hypervisor;
    options_.hypervisor = [this, start]() -> Result<std::unique_ptr<hv::Hypervisor>> {
      return is_last_ ? fail(ErrorCode::hypervisor_gone, "it is dead") : start();
    };
    restart_toolstack();
    config_.on_poweroff = config::ShutdownAction::preserve;
  }

  // Kills the toolstack at each call of `act` in turn, before it and after it, and lets the next
  // one start from what was on disk at that moment. `check` sees that one.
  void kill_everywhere(const std::function<void()>& prepare, const std::function<void()>& act,
                       const std::function<void()>& check) {
    unsigned kills = 0;
    for (const Fate::Moment moment : {Fate::Moment::before, Fate::Moment::after}) {
      for (std::uint64_t call = 1;; ++call) {
        SCOPED_TRACE((moment == Fate::Moment::before ? "before call " : "after call ") +
                     std::to_string(call));
        prepare();
        fate_->die_at(call, moment, [this] { keep_disk(); });
        is_last_ = true;
        act();
        if (fate_->is_spared()) {
          is_last_ = false;
          EXPECT_GT(call, 1U);
          clean_up();
          break;
        }
        ++kills;
        rise();
        check();
        clean_up();
        if (HasFailure()) {
          return;
        }
      }
    }
    EXPECT_GT(kills, 1U);
  }

  void keep_disk() {
    kept_ = directory() + "/kept-" + std::to_string(++kept_number_);
    std::filesystem::copy(options_.runtime_dir, kept_, std::filesystem::copy_options::recursive);
  }

  void rise() {
    kill_toolstack();
    std::filesystem::remove_all(options_.runtime_dir);
    std::filesystem::rename(kept_, options_.runtime_dir);
    is_last_ = false;
    start_toolstack();
  }

  // The domain of this name works: its console and its lifecycle.
  void expect_whole(const std::string& name) {
    const auto id = toolstack().find(name);
    ASSERT_TRUE(id);
    const auto info = fake().domain_info(*id);
    ASSERT_TRUE(info) << describe(info.error());
    EXPECT_FALSE(info->paused);
    fixture::Mailbox<std::string> heard;
    const auto listening = toolstack().attach_console(*id, [&](std::span<const std::byte> bytes) {
      heard.put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    });
    ASSERT_TRUE(listening);
    guest_prints(*id, "alive");
    EXPECT_TRUE(heard.wait_for([](const std::string& text) { return text.ends_with("alive"); }));
    EXPECT_EQ(toolstack().config_of(*id)->name, name);
  }

  // Until the toolstack has done what it had to do by itself.
  void wait_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + fixture::patience;
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.runtime_dir + "/domains")) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  // Destroys what there is; then nothing is there, nowhere.
  void clean_up() {
    const auto rows = toolstack().list();
    ASSERT_TRUE(rows);
    for (const DomainSummary& row : *rows) {
      if (row.info.id != DomId(0)) {
        EXPECT_FALSE(row.name.empty());
        EXPECT_TRUE(toolstack().destroy(row.info.id));
      }
    }
    EXPECT_TRUE(toolstack().idle());
    if (starts() != 0) {
      EXPECT_EQ(fake().usage(), Usage{});
    }
    EXPECT_EQ(files(), std::vector<std::string>{});
    kill_toolstack();
    {
      const auto store = xenstore::Server::open(options_.runtime_dir);
      ASSERT_TRUE(store);
      EXPECT_TRUE((*store)->unclaimed().empty());
      for (const char* directory : {"/vm", "/libxl", "/local/domain/0/backend/console"}) {
        const auto nodes = (*store)->list(directory);
        EXPECT_TRUE(!nodes || nodes->empty()) << directory << " has " << nodes->front();
      }
    }
    start_toolstack();
  }

  config::DomainConfig config_ = config();
  std::shared_ptr<Fate> fate_;
  std::string kept_;
  unsigned kept_number_ = 0;
  std::atomic<bool> is_last_{false};  // hypervisor: no other is started
};

TEST_F(Killed, InACreateItLeavesAWholeDomainOrNone) {
  create("warm up");  // starts the hypervisor
  ASSERT_TRUE(toolstack().destroy(*toolstack().find("warm up")));
  unsigned whole = 0;
  kill_everywhere([] {}, [&] { (void)toolstack().create_domain(config_, {}, {}).has_value(); },
                  [&] {
                    if (!names().empty()) {
                      ++whole;
                      EXPECT_EQ(names(), std::vector<std::string>{"guest"});
                      expect_whole("guest");
                    }
                  });
  EXPECT_GT(whole, 0U) << "killed while it unpaused";
}

TEST_F(Killed, InADestroyItFinishesItOrLeavesTheDomainAlone) {
  kill_everywhere([&] { create(config_); },
                  [&] {
                    const DomId id = *toolstack().find("guest");
                    (void)toolstack().destroy(id).has_value();
                  },
                  [&] { EXPECT_EQ(names(), std::vector<std::string>{}); });
}

TEST_F(Killed, InARestartItFinishesIt) {
  kill_everywhere(
      [&] { create(config_); },
      [&] {
        const DomId old = *toolstack().find("guest");
        ASSERT_TRUE(fake().guest_shutdown(old, hv::ShutdownReason::reboot));
        wait_until([&] {
          const auto now = toolstack().find("guest");
          return fate_->is_dead() || (now && *now != old && toolstack().config_of(*now));
        });
      },
      [&] {
        wait_until([&] {
          const auto rows = toolstack().list();
          return rows && rows->size() == 2 && !rows->back().info.shutdown &&
                 !rows->back().info.paused && toolstack().config_of(rows->back().info.id);
        });
        EXPECT_EQ(names(), std::vector<std::string>{"guest"});
        expect_whole("guest");
      });
}

TEST_F(Killed, InARestartBesideTheOldOneItFinishesIt) {
  config_.on_crash = config::ShutdownAction::restart_rename;
  kill_everywhere(
      [&] { create(config_); },
      [&] {
        const DomId old = *toolstack().find("guest");
        ASSERT_TRUE(fake().guest_shutdown(old, hv::ShutdownReason::crash));
        wait_until([&] {
          const auto now = toolstack().find("guest");
          return fate_->is_dead() || (now && *now != old && toolstack().config_of(*now));
        });
      },
      [&] {
        wait_until([&] {
          const auto now = toolstack().find("guest");
          const auto info = now ? fake().domain_info(*now) : fake().domain_info(DomId(0));
          return names().size() == 2 && info && !info->shutdown && !info->paused &&
                 toolstack().config_of(*now);
        });
        expect_whole("guest");
      });
}

TEST_F(Killed, WhileItAdoptsItIsFollowedByOneThatAdopts) {
  kill_everywhere([&] { create(config_); },
                  [&] {
                    // The one that dies is the next one, while it starts.
                    const auto wrap =
                        std::exchange(wrap_, [&](std::unique_ptr<hv::Hypervisor> behind) {
                          return std::make_unique<MortalHypervisor>(std::move(behind), fate_);
                        });
                    kill_toolstack();
                    (void)Toolstack::create(options_).has_value();
                    wrap_ = wrap;
                    if (!fate_->is_dead()) {
                      start_toolstack();
                    }
                  },
                  [&] {
                    EXPECT_EQ(names(), std::vector<std::string>{"guest"});
                    expect_whole("guest");
                  });
}

}  // namespace
}  // namespace xl::toolstack
