// SPDX-License-Identifier: Apache-2.0
// HostConsole: a console whose ring the host's xenconsoled serves. xenconsoled passes it on through
// a pty, which it names in the node console/tty some time after the domain was introduced, and
// writes a log where it was told to (--log=guest).
//
// The pty has what the domain printed once only, and xenconsoled keeps it for who comes: so the pty
// is read only while somebody is attached here, and `xl console` of the stock toolstack works
// beside this one as beside its like. A pty that breaks (xenconsoled begins anew) is waited for to
// come back: the console ends by end() alone.
//
// xenconsoled drops what it has not passed on when the domain goes, which a domain that ends at
// once may do before there is a pty. So who is attached gets the rest from the ring itself.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/console/console.hpp"
#include "libxl++/console/pty_poll.hpp"
#include "libxl++/console/ring_snapshot.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::console {

class HostConsole final : public Console {
 public:
  // The file that xenconsoled may keep, and its size when the domain was made: what is before that
  // is an earlier domain's of the same name.
  struct Log {
    std::string path;
    std::uint64_t start = 0;
  };
  // Of the file, 0 if it is not there: for Log::start.
  static std::uint64_t log_size(const std::string& path);

  struct Hooks {
    std::function<void()> wake;  // has pump() called soon; from any thread, it must be quick
    // The console page, for a moment. Called by attach(), ending() and end() only; where there is
    // none, the pty is all.
    std::function<Result<hv::GuestMapping>()> map_page = [] {
      return Result<hv::GuestMapping>(hv::GuestMapping());
    };
  };

  // `store` and `poll` must outlive this.
  HostConsole(xenstore::NodeStore& store, DomId domain, Log log, Hooks hooks, PtyPoll& poll);
  ~HostConsole() override;

  // Asks the store where the pty is, when it needs it.
  Progress pump() override;
  Listeners::Handle attach(Output output) override;
  Result<void> write(std::span<const std::byte> input) override;
  // Those who are attached get what they have not had yet.
  void end() override;
  // Complete when xenconsoled has all of it, and those who are attached have had it; when it was so
  // a few times, as others may read the pty too.
  Ending ending() override;
  // The end of the log where there is one, else of what was read here.
  std::string text() const override;
  std::string log_path() const override;

 private:
  struct Turn {
    std::vector<Entry> newcomers;
    std::string replay;
    std::string output;
    bool ended = false;
  };
  enum class Pty { goes_on, broken };

  void begin(Turn& turn);
  void serve(Turn& turn, bool attached);
  std::optional<RingSnapshot> look_at_ring() const;
  // --- with the lock ---
  void look_for_pty();
  void open_pty(const std::string& path);
  void close_pty();
  Pty write_input();
  Pty read_output(std::string& output, std::size_t limit);
  void remember(const std::string& output);
  void take_rest(const std::optional<RingSnapshot>& ring);
  bool has_audience() const { return attached_ || !newcomers_.empty(); }

  xenstore::NodeStore& store_;
  const std::string tty_node_;
  const Log log_;
  const Hooks hooks_;
  PtyPoll& poll_;
  std::atomic<bool> tty_changed_ = false;  // the node; since it was looked at
  std::atomic<bool> has_start_ = false;    // start_ is set, or will be at once

  mutable std::mutex mutex_;
  std::unique_ptr<xenstore::NodeWatch> watch_;  // from the first need of the pty on
  UniqueFd pty_;
  std::unique_ptr<PtyPoll::Registration> registration_;
  std::string input_;
  std::string seen_;            // read here, at most history_limit
  std::uint32_t received_ = 0;  // bytes ever read here, modulo 2^32
  // What xenconsoled had taken when somebody attached for the first time: it comes through the pty,
  // or others have read it before.
  std::uint32_t start_ = 0;
  std::uint32_t told_ = 0;  // the same, and passed on
  unsigned settled_looks_ = 0;
  std::string tail_;              // taken by end(), for the next pump()
  std::vector<Entry> newcomers_;  // have not had the replay yet
  bool attached_ = false;         // as of the last pump()
  bool ended_ = false;

  // The event thread's own.
  Listeners listeners_;
  bool end_told_ = false;
};

}  // namespace xl::console
