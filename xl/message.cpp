// SPDX-License-Identifier: Apache-2.0
#include "xl/message.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "xl/output.hpp"

namespace xl::cli {
namespace {

MessageStyle current;

// What compilers use, as users know it.
constexpr std::string_view bold = "\033[1m";
constexpr std::string_view aside_colour = "\033[1;36m";
constexpr std::string_view caret_colour = "\033[1;32m";
constexpr std::string_view reset = "\033[0m";

struct Kind {
  std::string_view mark;
  std::string_view colour;
};
constexpr Kind kinds[] = {
    {": error: ", "\033[1;31m"}, {": warning: ", "\033[1;35m"}, {": note: ", aside_colour}};

// The kind of message that begins in this line; the quoted source is indented.
const Kind* kind_of(std::string_view line, std::size_t& at) {
  if (line.empty() || line[0] == ' ') {
    return nullptr;
  }
  const Kind* found = nullptr;
  at = line.npos;
  for (const Kind& kind : kinds) {
    const std::size_t here = line.find(kind.mark);
    if (here < at) {
      at = here;
      found = &kind;
    }
  }
  return found;
}

std::string paint_head(std::string_view line, const Kind& kind, std::size_t at) {
  const std::string_view word = kind.mark.substr(2, kind.mark.size() - 3);
  std::string text(bold);
  text.append(line.substr(0, at + 1)).append(reset).append(" ");
  text.append(kind.colour).append(word).append(reset).append(" ");
  return text.append(line.substr(at + kind.mark.size()));
}

bool is_caret_line(std::string_view line) {
  return line.starts_with(' ') && line.find('^') != line.npos &&
         line.find_first_not_of(" ^~") == line.npos;
}

constexpr std::string_view hint = "  hint:";

std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &parts);
  return std::string(text, size) + format(" [%ld] ", static_cast<long>(::getpid()));
}

bool is_dumb() {
  const char* const terminal = std::getenv("TERM");
  return terminal != nullptr && std::string_view(terminal) == "dumb";
}

bool wants_colours() {
  const char* const no = std::getenv("NO_COLOR");
  return (no == nullptr || *no == '\0') && !is_dumb();
}

}  // namespace

MessageStyle style_for(const Arguments& arguments) {
  MessageStyle style;
  style.terminal = ::isatty(STDERR_FILENO) != 0;
  style.colours = style.terminal && wants_colours();
  style.carriage_return = arguments.carriage_return || is_dumb();
  style.stamp = arguments.stamps ? time_stamp() : std::string();
  return style;
}

void set_message_style(MessageStyle style) {
  current = std::move(style);
}

const MessageStyle& message_style() {
  return current;
}

std::string dressed(std::string_view lines, const MessageStyle& style) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    std::size_t at = 0;
    const Kind* const kind = kind_of(line, at);
    text += kind == nullptr ? std::string_view() : std::string_view(style.stamp);
    if (style.colours && kind != nullptr) {
      text += paint_head(line, *kind, at);
    } else if (style.colours && is_caret_line(line)) {
      text.append(caret_colour).append(line).append(reset);
    } else if (style.colours && line.starts_with(hint)) {
      text.append(aside_colour).append(hint).append(reset).append(line.substr(hint.size()));
    } else {
      text += line;
    }
    text += end < lines.size() ? "\n" : "";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

void print_findings(std::string_view rendered) {
  MessageStyle style = current;
  style.stamp = style.stamp.empty() ? std::string() : time_stamp();
  print_note(dressed(rendered, style));
}

void print_error(std::string_view text) {
  print_findings("xl: error: " + std::string(text) + "\n");
}

void print_warning(std::string_view text) {
  print_findings("xl: warning: " + std::string(text) + "\n");
}

}  // namespace xl::cli
