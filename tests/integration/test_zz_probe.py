from tests.integration.test_storefront import *
from tests.integration.conftest import *
def test_p(world):
    shop=world.shop(); switch_on(shop); import time; time.sleep(1.5)
    print(words_of(shop.page("/"))[-2500:])
    print('-----'); print(words_of(shop.page("/products/straw-mug")))
    print('-----'); print(words_of(shop.page("/products/gift-card"))[:1500])
    print(shop.metafield("program"))
    h=shop.page("/products/straw-mug"); i=h.find('regulars'); print(h[i-300:i+1500])
