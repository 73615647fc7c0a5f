// SPDX-License-Identifier: Apache-2.0
// xl top: xentop's options, columns and keys.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "libxl++/api/wire_json.hpp"
#include "xl/format/top.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"
#include "xl/screen.hpp"

namespace xl::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int key_escape = 0x1b;
constexpr int key_repaint = 0x0c;

struct TopPlan {
  TopOptions view;
  std::chrono::milliseconds delay{3000};
  std::optional<unsigned long> iterations;
  bool batch = false;
  bool json = false;
};

Outcome<double> number(const char* text, const char* what, double least) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !std::isfinite(value) || value < least || value > 1e6) {
    return wrong_usage("'" + std::string(text) + "' is not a " + what);
  }
  return value;
}

Outcome<TopPlan> make_plan(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "bd:i:vrfnx",
                                                      {{"batch", 'b'},
                                                       {"delay", 'd', true},
                                                       {"iterations", 'i', true},
                                                       {"vcpus", 'v'},
                                                       {"repeat-header", 'r'},
                                                       {"full-name", 'f'},
                                                       {"networks", 'n'},
                                                       {"vbds", 'x'},
                                                       {"json", 'j'}}));
  XL_TRY(options.need_words(0, 0));
  TopPlan plan;
  plan.json = options.has('j');
  plan.batch = options.has('b') || plan.json;
  plan.view.vcpus = options.has('v');
  plan.view.repeat_header = options.has('r');
  plan.view.full_names = options.has('f');
  if (const char* text = options.value('d')) {
    XL_TRY_ASSIGN(const double seconds, number(text, "number of seconds above 0", 0.01));
    plan.delay = std::chrono::milliseconds(std::llround(seconds * 1000));
  }
  if (const char* text = options.value('i')) {
    XL_TRY_ASSIGN(const double times, number(text, "number of iterations", 1));
    plan.iterations = static_cast<unsigned long>(times);
  }
  return plan;
}

Outcome<TopSample> take_sample(std::optional<api::Client>& client, bool with_vcpus) {
  for (bool again = false;; again = true) {
    if (!client) {
      XL_TRY_ASSIGN(client, connect());
    }
    TopSample sample;
    auto host = client->host();
    auto domains = client->list();
    auto vcpus = with_vcpus ? client->vcpus({})
                            : api::Answer<std::vector<api::VcpuView>>(std::vector<api::VcpuView>());
    sample.time_ns = std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
    if (host && domains && vcpus) {
      sample.host = std::move(host).value();
      sample.domains = std::move(domains).value();
      sample.vcpus = std::move(vcpus).value();
      return sample;
    }
    // xld may have been killed since; the next one finds the domains again.
    if (again) {
      return Unexpected(Failure(!host ? host.error() : !domains ? domains.error() : vcpus.error()));
    }
    client.reset();
  }
}

std::string json_line(const TopSample& before, const TopSample& now) {
  const std::vector<double> percent = cpu_percent(before, now);
  nlohmann::json domains = nlohmann::json::array();
  for (std::size_t index = 0; index < now.domains.size(); ++index) {
    nlohmann::json domain = api::to_json(now.domains[index]);
    domain["cpu_percent"] = std::round(percent[index] * 10) / 10;
    domains.push_back(std::move(domain));
  }
  timespec clock{};
  ::clock_gettime(CLOCK_REALTIME, &clock);
  return api::dump({{"time_ms", std::int64_t{clock.tv_sec} * 1000 + clock.tv_nsec / 1'000'000},
                    {"domains", std::move(domains)}}) +
         "\n";
}

Outcome<void> run_batch(TopPlan& plan) {
  std::optional<api::Client> client;
  std::optional<TopSample> before;
  for (unsigned long turn = 0; !plan.iterations || turn < *plan.iterations; ++turn) {
    if (turn > 0) {
      std::this_thread::sleep_for(plan.delay);
    }
    XL_TRY_ASSIGN(TopSample now, take_sample(client, plan.view.vcpus));
    const TopSample& old = before ? *before : now;
    if (plan.json) {
      print(json_line(old, now));
    } else {
      for (const TopLine& line : top_table(old, now, plan.view)) {
        print(line.text + "\n");
      }
    }
    if (!flush_output()) {
      return {};  // whoever read it has seen enough; main says so
    }
    before = std::move(now);
  }
  return {};
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  return format("%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
}

// The state of the screen between two keys.
class LiveTop {
 public:
  explicit LiveTop(TopPlan& plan) : plan_(plan) {}

  Outcome<void> run() {
    XL_TRY(refresh());
    XL_TRY_ASSIGN(Screen screen, Screen::open());
    while (true) {
      draw(screen);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - Clock::now());
      const int key = screen.key(std::max(left, std::chrono::milliseconds(0)));
      if (!take(key, screen)) {
        return {};
      }
      if (Clock::now() >= due_) {
        if (plan_.iterations && ++turns_ >= *plan_.iterations) {
          return {};
        }
        XL_TRY(refresh());
      }
    }
  }

 private:
  Outcome<void> refresh() {
    XL_TRY_ASSIGN(TopSample sample, take_sample(client_, plan_.view.vcpus));
    before_ = std::exchange(now_, std::move(sample));
    due_ = Clock::now() + plan_.delay;
    return {};
  }

  void draw(Screen& screen) {
    Screen::Frame frame;
    frame.head = top_summary(*now_, clock_text());
    frame.table = top_table(before_ ? *before_ : *now_, *now_, plan_.view);
    frame.prompt = prompting_ ? "Delay(sec): " + typed_ : "";
    frame.keys = {{"Delay", false},
                  {"Repeat header", plan_.view.repeat_header},
                  {"Vcpus", plan_.view.vcpus},
                  {"Full names", plan_.view.full_names},
                  {"Sort order", false},
                  {"Quit", false}};
    screen.draw(frame);
  }

  // False: the end.
  bool take(int key, Screen& screen) {
    if (key == Screen::quit) {
      return false;
    }
    if (prompting_) {
      edit(key);
      return true;
    }
    switch (key) {
      case 'q':
      case 'Q':
      case key_escape: return false;
      case 's':
      case 'S': plan_.view.sort = (plan_.view.sort + 1) % top_columns(); break;
      case 'r':
      case 'R': plan_.view.repeat_header = !plan_.view.repeat_header; break;
      case 'v':
      case 'V':
        plan_.view.vcpus = !plan_.view.vcpus;
        due_ = Clock::now();
        break;
      case 'f':
      case 'F': plan_.view.full_names = !plan_.view.full_names; break;
      case 'd':
      case 'D':
        prompting_ = true;
        typed_.clear();
        break;
      case Screen::down: ++plan_.view.first; break;
      case Screen::up: plan_.view.first -= plan_.view.first > 0 ? 1 : 0; break;
      case key_repaint: screen.repaint(); break;
      default: break;
    }
    return true;
  }

  void edit(int key) {
    if (key == '\r' || key == '\n') {
      if (const auto seconds = number(typed_.c_str(), "", 0.01)) {
        plan_.delay = std::chrono::milliseconds(std::llround(*seconds * 1000));
        due_ = Clock::now() + plan_.delay;
      }
      prompting_ = false;
    } else if (key == key_escape) {
      prompting_ = false;
    } else if (key == Screen::backspace) {
      typed_.resize(typed_.size() - (typed_.empty() ? 0 : 1));
    } else if (((key >= '0' && key <= '9') || key == '.') && typed_.size() < 12) {
      typed_ += static_cast<char>(key);
    }
  }

  TopPlan& plan_;
  std::optional<api::Client> client_;
  std::optional<TopSample> before_;
  std::optional<TopSample> now_;
  Clock::time_point due_;
  unsigned long turns_ = 0;
  bool prompting_ = false;
  std::string typed_;
};

}  // namespace

Outcome<void> run_top(const Arguments& arguments) {
  XL_TRY_ASSIGN(TopPlan plan, make_plan(arguments));
  return plan.batch ? run_batch(plan) : LiveTop(plan).run();
}

}  // namespace xl::cli
