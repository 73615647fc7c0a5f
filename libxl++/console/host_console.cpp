// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/host_console.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <termios.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "libxl++/console/history.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::console {
namespace {

constexpr std::size_t turn_size = 4 << 10;  // bytes of output that one pump() takes
constexpr unsigned looks_for_others = 2;
constexpr std::size_t tail_limit = 64 << 10;  // more than a pty holds

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Bytes as they are, both ways, as xenconsole sets it. False: it is no terminal.
bool make_raw(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) {
    return false;
  }
  ::cfmakeraw(&settings);
  return ::tcsetattr(fd, TCSANOW, &settings) == 0;
}

// The last history_limit bytes from `start` on; all of it if it is shorter now.
std::string end_of_file(const std::string& path, std::uint64_t start) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return {};
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t at = start <= size ? start : 0;
  at = std::max(at, size - std::min<std::uint64_t>(size, history_limit));
  std::string text(size - at, '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(at));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

}  // namespace

std::uint64_t HostConsole::log_size(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

HostConsole::HostConsole(xenstore::NodeStore& store, DomId domain, Log log, Hooks hooks,
                         PtyPoll& poll)
    : store_(store),
      tty_node_(xenstore::domain_path(domain) + "/console/tty"),
      log_(std::move(log)),
      hooks_(std::move(hooks)),
      poll_(poll) {}

HostConsole::~HostConsole() {
  registration_.reset();
  watch_.reset();
}

HostConsole::Progress HostConsole::pump() {
  Turn turn;
  begin(turn);
  for (Entry& newcomer : turn.newcomers) {
    if (!turn.replay.empty()) {
      newcomer->call(bytes_of(turn.replay));
    }
    if (end_told_) {
      newcomer->call({});
    }
    listeners_.add(std::move(newcomer));
  }
  serve(turn, listeners_.any());
  if (!turn.output.empty()) {
    listeners_.call(bytes_of(turn.output));
    const std::lock_guard lock(mutex_);
    told_ += static_cast<std::uint32_t>(turn.output.size());
  }
  if (turn.ended && !end_told_) {
    end_told_ = true;
    listeners_.call({});
  }
  return {.notify = false, .more = !turn.output.empty() && !turn.ended};
}

void HostConsole::begin(Turn& turn) {
  const std::lock_guard lock(mutex_);
  turn.newcomers.swap(newcomers_);
  if (!turn.newcomers.empty()) {  // the tail they get with all others
    turn.replay = seen_.substr(0, seen_.size() - std::min(seen_.size(), tail_.size()));
  }
}

void HostConsole::serve(Turn& turn, bool attached) {
  const std::lock_guard lock(mutex_);
  attached_ = attached;
  turn.ended = ended_;
  if (ended_) {
    turn.output = std::exchange(tail_, {});
    return;
  }
  if (!attached && input_.empty()) {
    close_pty();
    return;
  }
  if (!pty_) {
    look_for_pty();
  }
  if (!pty_) {
    return;
  }
  Pty state = write_input();
  if (attached && state == Pty::goes_on) {
    state = read_output(turn.output, turn_size);
    remember(turn.output);
  }
  if (state == Pty::broken || (!attached && input_.empty())) {
    close_pty();
  } else if (turn.output.empty()) {  // else it is looked at again at once
    registration_->arm(!input_.empty());
  }
}

// Watched before it is read, so that no change is missed.
void HostConsole::look_for_pty() {
  if (watch_ == nullptr) {
    tty_changed_ = true;
    watch_ = store_.watch(tty_node_, [this] {
      tty_changed_ = true;
      hooks_.wake();
    });
  }
  if (!tty_changed_.exchange(false)) {
    return;
  }
  const auto path = store_.read(tty_node_);
  if (path && !path->empty()) {
    open_pty(*path);
  }
}

// A pty that has gone again is one of a xenconsoled that has: the node will change.
void HostConsole::open_pty(const std::string& path) {
  UniqueFd pty(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!pty || !make_raw(pty.get())) {
    spdlog::warn("{}: {}", tty_node_,
                 describe(system_error(errno, "opening the pty '" + path + "'")));
    return;
  }
  auto registration = poll_.add(pty.get(), hooks_.wake);
  if (!registration) {
    spdlog::error("{}: {}", tty_node_, describe(registration.error()));
    return;
  }
  pty_ = std::move(pty);
  registration_ = std::move(registration).value();
}

void HostConsole::close_pty() {
  if (pty_) {
    tty_changed_ = true;  // it may have changed while the old one was open
  }
  registration_.reset();
  pty_.reset();
}

HostConsole::Pty HostConsole::write_input() {
  while (!input_.empty()) {
    const ssize_t count = ::write(pty_.get(), input_.data(), input_.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return count == 0 || errno == EAGAIN ? Pty::goes_on : Pty::broken;
    }
    input_.erase(0, static_cast<std::size_t>(count));
  }
  input_.shrink_to_fit();
  return Pty::goes_on;
}

HostConsole::Pty HostConsole::read_output(std::string& output, std::size_t limit) {
  std::array<char, turn_size> buffer;
  while (output.size() < limit) {
    const ssize_t count = ::read(pty_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return count < 0 && errno == EAGAIN ? Pty::goes_on : Pty::broken;
    }
    output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return Pty::goes_on;
}

void HostConsole::remember(const std::string& output) {
  received_ += static_cast<std::uint32_t>(output.size());
  seen_ += output;
  if (seen_.size() > history_limit) {
    seen_.erase(0, seen_.size() - history_limit);
  }
}

HostConsole::Listeners::Handle HostConsole::attach(Output output) {
  auto entry = std::make_shared<Listeners::Entry>(std::move(output));
  if (!has_start_.exchange(true)) {
    const std::optional<RingSnapshot> ring = look_at_ring();
    const std::lock_guard lock(mutex_);
    start_ = ring ? ring->taken : 0;
  }
  const std::lock_guard lock(mutex_);
  newcomers_.push_back(entry);
  return Listeners::Handle(std::move(entry));
}

Result<void> HostConsole::write(std::span<const std::byte> input) {
  const std::lock_guard lock(mutex_);
  if (ended_) {
    return fail(ErrorId::console_ended, "the console has ended");
  }
  return queue_input(input_, input);
}

std::optional<RingSnapshot> HostConsole::look_at_ring() const {
  const auto page = hooks_.map_page();
  if (!page || page->segments().empty()) {
    return std::nullopt;
  }
  return RingSnapshot::of(page->segments().front().bytes);
}

// Where others read the pty as well, those who are attached here will never have had all of it.
// What xenconsoled took it passes on in its next round, and what others read nobody knows: they get
// a little time.
Console::Ending HostConsole::ending() {
  std::optional<RingSnapshot> ring = look_at_ring();
  if (!ring) {
    return {true, text()};
  }
  const std::lock_guard lock(mutex_);
  const bool is_told =
      !has_audience() || ring->produced == told_ || ring->produced == start_ + told_;
  const bool is_settled = ring->is_drained() && is_told && ++settled_looks_ > looks_for_others;
  return {is_settled, std::move(ring->last)};
}

// xenconsoled hangs up when the domain goes, and what is in the pty then is lost.
void HostConsole::end() {
  std::unique_lock lock(mutex_);
  if (ended_) {
    return;
  }
  if (has_audience()) {
    lock.unlock();
    const std::optional<RingSnapshot> ring = look_at_ring();
    lock.lock();
    take_rest(ring);
  }
  ended_ = true;
  close_pty();
  watch_.reset();
  input_.clear();
}

void HostConsole::take_rest(const std::optional<RingSnapshot>& ring) {
  if (pty_) {
    (void)read_output(tail_, tail_limit);
    remember(tail_);
  }
  if (ring) {
    std::string rest = received_ == 0 ? std::string() : ring->rest(received_, seen_);
    if (rest.empty()) {
      rest = ring->rest(start_ + received_, seen_);
    }
    remember(rest);
    tail_ += rest;
  }
}

std::string HostConsole::log_path() const {
  return !log_.path.empty() && ::access(log_.path.c_str(), F_OK) == 0 ? log_.path : std::string();
}

std::string HostConsole::text() const {
  if (!log_path().empty()) {
    return end_of_file(log_.path, log_.start);
  }
  const std::lock_guard lock(mutex_);
  return seen_;
}

}  // namespace xl::console
