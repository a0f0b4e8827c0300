// The one stream type of the embedded cluster's server.
#pragma once

#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace stillpoint::sim::pocket {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;
using WireRequest = boost::beast::http::request<boost::beast::http::string_body>;

}  // namespace stillpoint::sim::pocket
