// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/http_client.hpp"

#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <charconv>

namespace xl::api {
namespace {

constexpr std::size_t max_head = 16 * 1024;
constexpr std::size_t max_body = 256 * 1024 * 1024;

Error lost() {
  return Error{ErrorCode::io,
               "xld closed the connection without an answer",
               "its log may say why (xl daemon status)",
               {}};
}

Error garbled(std::string_view what) {
  return Error{ErrorCode::protocol, "xld's answer is not HTTP: " + std::string(what), {}, {}};
}

bool header_is(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view header_value(std::string_view line) {
  std::string_view value = line.substr(line.find(':') + 1);
  while (!value.empty() && value.front() == ' ') {
    value.remove_prefix(1);
  }
  return value;
}

bool parse_size(std::string_view text, int base, std::size_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end != text.data() && out <= max_body;
}

// Appends one read's worth; 0 at the end of the stream.
Result<std::size_t> receive_into(int fd, std::string& buffer) {
  const std::size_t before = buffer.size();
  buffer.resize(before + 16 * 1024);
  ssize_t got = 0;
  do {
    got = ::recv(fd, buffer.data() + before, buffer.size() - before, 0);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0) {
    return Unexpected(system_error(error, "reading from xld"));
  }
  return static_cast<std::size_t>(got);
}

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= 'a' && byte <= 'z');
    if (alphanumeric || byte == '-' || byte == '_' || byte == '~' ||
        (byte == '.' && text != "." && text != "..")) {
      out += character;
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

Result<void> HttpClient::send(std::string_view method, std::string_view target,
                              std::string_view body, std::string_view headers) {
  std::string head;
  head.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: xld\r\n");
  if (!body.empty()) {
    head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
    head += "\r\n";
  }
  head.append(headers).append("\r\n");
  iovec parts[2] = {{head.data(), head.size()}, {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  while (parts[0].iov_len + parts[1].iov_len > 0) {
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) {
        continue;
      }
      // A server that has had enough answers and closes: its answer is worth more than EPIPE.
      return errno == EPIPE || errno == ECONNRESET
                 ? Result<void>()
                 : Result<void>(Unexpected(system_error(errno, "writing to xld")));
    }
    auto left = static_cast<std::size_t>(sent);
    for (iovec& part : parts) {
      const std::size_t taken = left < part.iov_len ? left : part.iov_len;
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
    }
  }
  return {};
}

Result<void> HttpClient::receive_more() {
  const Result<std::size_t> got = receive_into(fd_.get(), buffer_);
  if (!got || *got == 0) {
    return Unexpected(lost());
  }
  return {};
}

Result<HttpClient::Head> HttpClient::receive_head() {
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > max_head) {
      return Unexpected(garbled("endless head"));
    }
    XL_TRY(receive_more());
  }
  const std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  Head head;
  std::string_view rest = text;
  std::size_t status = 0;
  if (!rest.starts_with("HTTP/1.1 ") || !parse_size(rest.substr(9, 3), 10, status)) {
    return Unexpected(garbled("no status line"));
  }
  head.status = static_cast<int>(status);
  while (!rest.empty()) {
    const std::size_t eol = rest.find("\r\n");
    const std::string_view line = rest.substr(0, eol);
    rest = eol == std::string_view::npos ? std::string_view() : rest.substr(eol + 2);
    if (header_is(line, "Content-Length") &&
        !parse_size(header_value(line), 10, head.content_length)) {
      return Unexpected(garbled("bad Content-Length"));
    }
    head.chunked =
        head.chunked || (header_is(line, "Transfer-Encoding") && header_value(line) == "chunked");
  }
  return head;
}

Result<HttpResponse> HttpClient::receive_body(const Head& head) {
  while (buffer_.size() < head.content_length) {
    XL_TRY(receive_more());
  }
  HttpResponse response{head.status, buffer_.substr(0, head.content_length)};
  buffer_.erase(0, head.content_length);
  return response;
}

Result<HttpResponse> HttpClient::request(std::string_view method, std::string_view target,
                                         std::string_view body) {
  XL_TRY(send(method, target, body, {}));
  XL_TRY_ASSIGN(const Head head, receive_head());
  return receive_body(head);
}

Result<std::optional<ByteStream>> HttpClient::upgrade(std::string_view target,
                                                      HttpResponse& refused) {
  XL_TRY(send("GET", target, {}, "Connection: Upgrade\r\nUpgrade: xl-console\r\n"));
  XL_TRY_ASSIGN(const Head head, receive_head());
  if (head.status != 101) {
    XL_TRY_ASSIGN(refused, receive_body(head));
    return std::optional<ByteStream>();
  }
  return std::optional<ByteStream>(ByteStream{std::move(fd_), std::move(buffer_)});
}

Result<std::optional<LineStream>> HttpClient::stream(std::string_view target,
                                                     HttpResponse& refused) {
  XL_TRY(send("GET", target, {}, {}));
  XL_TRY_ASSIGN(const Head head, receive_head());
  if (head.status != 200 || !head.chunked) {
    XL_TRY_ASSIGN(refused, receive_body(head));
    return std::optional<LineStream>();
  }
  return std::optional<LineStream>(LineStream(std::move(fd_), std::move(buffer_)));
}

Result<bool> LineStream::fill() {
  if (ended_) {
    return false;
  }
  XL_TRY_ASSIGN(const std::size_t got, receive_into(fd_.get(), raw_));
  ended_ = got == 0;
  XL_TRY(unchunk());
  return !ended_;
}

Result<void> LineStream::unchunk() {
  while (true) {
    if (chunk_left_ > 0) {
      const std::size_t taken = chunk_left_ < raw_.size() ? chunk_left_ : raw_.size();
      text_.append(raw_, 0, taken);
      raw_.erase(0, taken);
      chunk_left_ -= taken;
      if (chunk_left_ > 0) {
        return {};
      }
      text_.resize(text_.size() - 2);  // the CR LF behind the chunk
    }
    const std::size_t eol = raw_.find("\r\n");
    if (eol == std::string::npos) {
      return raw_.size() > max_head ? Result<void>(Unexpected(garbled("endless chunk size")))
                                    : Result<void>();
    }
    std::size_t size = 0;
    if (!parse_size(std::string_view(raw_).substr(0, eol), 16, size)) {
      return Unexpected(garbled("bad chunk size"));
    }
    raw_.erase(0, eol + 2);
    if (size == 0) {
      ended_ = true;
      return {};
    }
    chunk_left_ = size + 2;
  }
}

Result<std::optional<std::string>> LineStream::take_line() {
  XL_TRY(ended_ ? Result<void>() : unchunk());
  const std::size_t eol = text_.find('\n');
  if (eol == std::string::npos) {
    return std::optional<std::string>();
  }
  std::string line = text_.substr(0, eol);
  text_.erase(0, eol + 1);
  return std::optional<std::string>(std::move(line));
}

}  // namespace xl::api
