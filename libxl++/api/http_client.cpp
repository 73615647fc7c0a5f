// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/http_client.hpp"

#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "libxl++/api/http_text.hpp"

namespace xl::api {

using namespace http_text;  // NOLINT: made for these two files

namespace {

Error lost() {
  return make_error(ErrorId::daemon_went_away, "xld closed the connection without an answer",
                    "its log may say why (xl daemon status)");
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
                                                      HttpResponse& refused,
                                                      std::string_view protocol) {
  XL_TRY(
      send("GET", target, {}, "Connection: Upgrade\r\nUpgrade: " + std::string(protocol) + "\r\n"));
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

}  // namespace xl::api
