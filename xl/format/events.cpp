// SPDX-License-Identifier: Apache-2.0
#include "xl/format/events.hpp"

#include <ctime>

#include "xl/output.hpp"

namespace xl::cli {
namespace {

std::string value_text(const std::variant<bool, std::uint64_t, std::string>& value) {
  if (const bool* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const std::uint64_t* number = std::get_if<std::uint64_t>(&value)) {
    return std::to_string(*number);
  }
  return std::get<std::string>(value);
}

// One word: control characters could do anything to a terminal.
std::string printable(std::string text) {
  for (char& letter : text) {
    if (static_cast<unsigned char>(letter) < ' ' || letter == 0x7f) {
      letter = '?';
    }
  }
  return text.find(' ') == std::string::npos ? text : "'" + text + "'";
}

std::string fact(const char* key, const std::string& value) {
  return value.empty() ? std::string() : std::string(" ") + key + "=" + printable(value);
}

}  // namespace

std::string event_line(const api::EventView& event) {
  const std::time_t seconds = static_cast<std::time_t>(event.time_ms / 1000);
  tm local{};
  ::localtime_r(&seconds, &local);
  char clock[32];
  std::strftime(clock, sizeof clock, "%Y-%m-%d %H:%M:%S", &local);
  std::string line =
      format("%s.%03d  %-9s %5u  %s", clock, static_cast<int>(event.time_ms % 1000),
             event.event.c_str(), static_cast<unsigned>(event.domid), event.name.c_str());
  std::string facts;
  if (event.end) {
    facts += fact("reason", event.end->reason.value_or("destroyed"));
    facts += fact("cause", event.end->cause);
    facts += fact("action", event.end->action);
    facts += event.end->successor ? fact("successor", std::to_string(*event.end->successor)) : "";
    facts += fact("last_line", event.end->last_console_line);
  }
  for (const api::EventDetailView& detail : event.details) {
    facts += fact(detail.key.c_str(), value_text(detail.value));
  }
  return line + (facts.empty() ? "" : " " + facts) + "\n";
}

}  // namespace xl::cli
