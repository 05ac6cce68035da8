#pragma once

#include <string_view>

namespace tandem::http {

/// How the status page looks: light or dark as the reader's system is, tables as cards on a phone.
inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--bg:#f4f6f8;--card:#fff;--text:#17202a;--dim:#5d6b7a;--line:#e3e8ee;
--good:#127a43;--good-bg:#e6f5ec;--care:#8a5a00;--care-bg:#fff4dc;--bad:#b3261e;--bad-bg:#fdeceb;--ink:#2563b8}
@media(prefers-color-scheme:dark){:root{--bg:#11161c;--card:#1a2129;--text:#e6ebf0;--dim:#93a1b0;--line:#2b343f;
--good:#5fd394;--good-bg:#153323;--care:#f0bd5a;--care-bg:#382b10;--bad:#ff8a80;--bad-bg:#3f1a18;--ink:#7db2f5}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:64rem;background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:break-word}
header,h1,li,small,footer,td:first-child,td.wide{overflow-wrap:anywhere}
header p{margin:0 0 .5rem;color:var(--dim);font-size:.87em}
header p b{color:var(--text)}
h1{margin:0;padding:1.1rem 1.25rem;border-radius:12px;font-size:1.35rem;line-height:1.35;font-weight:600;border-left:6px solid}
h1.good{color:var(--good);background:var(--good-bg)}h1.care{color:var(--care);background:var(--care-bg)}
h1.bad{color:var(--bad);background:var(--bad-bg)}
h2{margin:2rem 0 .6rem;font-size:.8rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--dim)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:auto hidden}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.55rem .9rem;text-align:left;vertical-align:middle;border-top:1px solid var(--line)}
thead th{white-space:nowrap;border-top:0;font-size:.78rem;font-weight:600;color:var(--dim)}
td:first-child{font-weight:600}
small,.dim{color:var(--dim);font-weight:400}
.pill{display:inline-block;padding:.05rem .6rem;border-radius:99px;font-size:.82rem;font-weight:600;white-space:nowrap}
.pill.good{color:var(--good);background:var(--good-bg)}.pill.care{color:var(--care);background:var(--care-bg)}
.pill.bad{color:var(--bad);background:var(--bad-bg)}.pill.plain{color:var(--dim);background:var(--bg)}
ul.todo{list-style:none;margin:0;padding:0}
ul.todo li{padding:.75rem .9rem;border-top:1px solid var(--line)}
ul.todo li:first-child{border-top:0}
ul.todo small{white-space:nowrap}
ul.todo p{margin:.15rem 0 0;color:var(--dim)}
ul.todo b.bad{color:var(--bad)}ul.todo b.care{color:var(--care)}
svg.lag{display:block;width:9rem;height:1.7rem}
svg.lag path{fill:none;stroke:var(--ink);stroke-width:1.5;vector-effect:non-scaling-stroke;stroke-linejoin:round}
svg.lag path.base{stroke:var(--line)}
time{color:var(--dim);font-weight:400;white-space:nowrap}
.more{margin:0;padding:.55rem .9rem;border-top:1px solid var(--line);color:var(--dim)}
footer{margin-top:2rem;color:var(--dim);font-size:.87em}
a{color:var(--ink)}
@media(max-width:42rem){body{padding-top:1rem}thead{display:none}
tr{display:block;padding:.5rem 0;border-top:1px solid var(--line)}tbody tr:first-child{border-top:0}
td{display:flex;gap:1rem;justify-content:space-between;padding:.2rem .9rem;border:0;text-align:right}
td::before{content:attr(data-name);color:var(--dim);font-weight:400;text-align:left;white-space:nowrap}
td.wide{display:block;text-align:left}td.wide::before{display:none}}
)css";

}  // namespace tandem::http
